"""Image collections that users have on disk, made into a DATA.npz for the command line."""
