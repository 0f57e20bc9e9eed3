"""What of the replies of a stream is news for its reader, and with which request it goes on."""

import pytest

from latentwalk.client._courses import FramesCourse
from latentwalk.client._errors import ModelChanged
from latentwalk.v1 import generation_service_pb2 as pb


def header(digest="d"):
    return pb.WalkResponse(header=pb.StreamHeader(frames=5, rows=1, model_digest=digest))


def frames(*indices):
    made = [pb.Frame(index=index) for index in indices]
    return pb.WalkResponse(frame=made[0]) if len(made) == 1 else pb.WalkResponse(bundle=pb.FrameBundle(frames=made))


def read(course, *replies):
    """The indices of the frames, None for a header."""
    news = [one for reply in replies for one in course.news(reply)]
    return [one.frame.index if one.HasField("frame") else None for one in news]


def test_frames_that_come_together_are_news_one_by_one():
    course = FramesCourse(pb.WalkRequest())
    assert read(course, header(), frames(0), frames(1, 2, 3), frames(4)) == [None, 0, 1, 2, 3, 4]
    assert course.is_complete


def test_a_stream_that_was_read_in_the_middle_of_some_goes_on_with_the_next():
    course = FramesCourse(pb.WalkRequest())
    assert read(course, header()) == [None]
    next(course.news(frames(0, 1, 2)))
    assert course.request.delivery.first_frame == 1
    assert read(course, header(), frames(1, 2), frames(3, 4)) == [1, 2, 3, 4]


def test_what_has_arrived_already_is_no_news():
    course = FramesCourse(pb.WalkRequest())
    assert read(course, header(), frames(0, 1), header(), frames(1, 2)) == [None, 0, 1, 2]


def test_other_weights_are_refused():
    course = FramesCourse(pb.WalkRequest())
    read(course, header("one"), frames(0, 1))
    with pytest.raises(ModelChanged):
        read(course, header("other"))
