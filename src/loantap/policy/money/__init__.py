"""What a loan earns: scenarios, cash flows, expected and imputed profit, yearly return."""
