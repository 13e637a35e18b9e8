"""What comes of a search: the winner as a model, a script. In the kernel; Keras only through `training`, on request."""
