"""Where the boxes of a pipeline stand."""

from hypothesis import given
from hypothesis import strategies as st

from web.graph import HEIGHT, WIDTH, lay_out


@st.composite
def pipelines(draw):
    names = [f"s{number}" for number in range(draw(st.integers(0, 12)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=4)) if at else []
        for at, name in enumerate(names)
    }


@given(pipelines())
def test_every_step_stands_once_inside_the_drawing_and_right_of_what_it_needs(parents):
    layout = lay_out(parents)

    boxes = {box.step_id: box for box in layout.boxes}
    assert list(boxes) == list(parents)
    for step, needs in parents.items():
        assert all(boxes[one].x + WIDTH < boxes[step].x for one in needs)
        assert 0 <= boxes[step].x <= layout.width - WIDTH
        assert 0 <= boxes[step].y <= layout.height - HEIGHT


@given(pipelines())
def test_no_two_boxes_overlap(parents):
    boxes = lay_out(parents).boxes

    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


@given(pipelines())
def test_there_is_one_line_for_every_need(parents):
    lines = [(start, end) for _, start, end in lay_out(parents).edges]

    assert lines == [(one, step) for step, needs in parents.items() for one in needs]


def test_a_need_that_is_no_step_is_not_drawn():
    layout = lay_out({"film": ["gone"]})

    assert [box.step_id for box in layout.boxes] == ["film"]
    assert layout.edges == ()


def test_steps_in_a_row_are_drawn_in_a_row():
    layout = lay_out({"a": [], "b": ["a"], "c": ["b"]})

    assert len({box.y for box in layout.boxes}) == 1
    assert [box.x for box in layout.boxes] == sorted({box.x for box in layout.boxes})
