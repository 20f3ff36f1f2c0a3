"""How far forecasts, anomalies and comparisons are off, on made-up series: `python -m benchmarks.methods`."""
