"""What makes the site, the figures and the outputs that pages show."""
