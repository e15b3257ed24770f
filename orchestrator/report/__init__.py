"""The report of a sweep: figures, tables and one self-contained HTML page.

``write.write_report`` writes the folder, ``terminal.summary`` tells the short version.
Nothing is imported here: what needs no more than the context does not wait for matplotlib.
"""
