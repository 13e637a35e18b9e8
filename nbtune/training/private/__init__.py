"""The one fence around what is private in Keras, KerasTuner and TensorFlow: nothing else in nbtune may use such a name.

`keras`, `keras_tuner` and `tensorflow` ask for each name through `missing`, so that one that is not there does no harm that
is not told; `trimming` and `xlacache` change how TensorFlow starts and compiles, and change no result where it has changed.
"""
