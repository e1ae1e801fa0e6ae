"""Makes the committed reference data in `ozgsync/data/` from the official sources.

Needed only when a source changes; the application reads the outputs and never this package.
"""
