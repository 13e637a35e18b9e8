"""The one fence around what is private in Keras and TensorFlow."""
