"""What is measured of networks: engines compared, codes swept, errors taken apart, layers shown."""
