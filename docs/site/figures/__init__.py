"""Pictures for docs/, drawn from networks that snnc compiled: `python -m docs.site.figures`."""
