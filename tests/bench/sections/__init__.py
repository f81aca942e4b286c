"""The sections of tests/bench/run, a file each. A section has

    TITLE    what it measures, in a line
    METRICS  the metrics that it records, as results.Metric
    measure(bench)  which records into bench.results

and says nothing: what it found is in the results."""
