"""The data side, on Apache Beam: source files to pieces to sequences to datasets; evaluation, comparison and studies."""
