"""The words of the Open Inference Protocol v2, which standard clients speak: generated like those of latentwalk.v1.

The protocol fixes the package of its messages, `inference`, so that they exist once in a process: a program that also
loads another implementation's, such as tritonclient's, must not load these.
"""
