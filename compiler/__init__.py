"""The compiler: network IR, spiking IR and the passes between them."""
