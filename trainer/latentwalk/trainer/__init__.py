"""The workshop: jobs that find directions, one process each, durable and exactly resumable.

In the order of the data: servicer -> validation -> jobs -> runner -> methods -> loop -> checkpoint -> publish, and
announce, which tells the generation servers (places: all that a name stands for).
"""
