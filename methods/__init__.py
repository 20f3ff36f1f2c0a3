"""Methods over numbers: forecast, anomalies, decomposition and comparison. They read no database and import no app."""
