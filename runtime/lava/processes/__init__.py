"""The Lava Processes and their models. Lava imports every file in this folder: keep it so."""
