"""The programs `python -m epi check` and `python -m epi proxy`."""
