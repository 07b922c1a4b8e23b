"""What others are served with: decisions over HTTP, the dashboard, and the record of both."""
