"""A report as one page for the browser, which needs nothing else: no network, no other file.

Templates escape whatever they are given, so names of layers and classes stay text; and the page
forbids its browser to fetch anything.
"""

from snnc.runtime.output.report_page.page import page_of, write_page

__all__ = ["page_of", "write_page"]
