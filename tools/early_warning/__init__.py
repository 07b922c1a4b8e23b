"""How well early warning works: on real monthly data of card holders, and on simulated loans."""
