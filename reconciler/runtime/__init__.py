"""The shell around the pure core: queue, passes, threads, signals. It decides when to look, never what to do."""
