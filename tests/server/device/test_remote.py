"""The device's process draws what an engine in this process draws, and gives its errors back."""

import asyncio
import gc
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.device import Device, DeviceSettings
from latentwalk.server.device.messages import Draw
from latentwalk.server.engine import Engine, NonFinitePicture, NoSuchDevice, Row
from latentwalk.server.engine.rows import sample_rows
from latentwalk.server.scheduler import DeviceFailed, DeviceLost, NeverBegun

CPU = torch.device("cpu")
SETTINGS = DeviceSettings("cpu", 1, 8, 0.0, 0.5, "", 60.0, "error")


@pytest.fixture
def device():
    """A device's process."""
    device = Device(SETTINGS)
    yield device
    device.close()


async def drawn_by(engine, rows):
    """The pictures, as the scheduler has them drawn."""
    await engine.prepare()
    return await engine.draw(rows)


async def test_it_draws_the_bytes_of_an_engine_in_this_process(device, faces, digits):
    for generator in (faces, digits):
        rows = sample_rows(generator, 11)
        strict = [Row(row.code, row.condition, strict=True) for row in rows[:2]]
        remote, engine = device.make_engine(generator), Engine(generator, CPU)
        assert (remote.spec, remote.digest, remote.size) == (engine.spec, engine.digest, engine.size)
        assert await drawn_by(remote, [*rows, *strict]) == engine.draw([*rows, *strict])


async def test_a_form_that_was_measured_there_is_known_here(faces):
    device = Device(replace(SETTINGS, max_batch=4, engine_seconds=0.2))
    try:
        engine = device.make_engine(faces)
        assert set(engine.choice.variants) == set(engine.choice.seconds) == {1, 2, 4}
    finally:
        device.close()


async def test_a_picture_that_is_not_finite_fails_alone(device, wild):
    good, bad = sample_rows(wild, 1)[0], Row(np.full(6, 1e30, np.float32), None)
    drawn = await drawn_by(device.make_engine(wild), [good, bad, good])
    assert isinstance(drawn[1], NonFinitePicture)
    assert drawn[0] == drawn[2]
    assert isinstance(drawn[0], bytes)


async def test_an_error_of_the_engine_is_raised_here_and_the_next_batch_is_drawn(device, faces):
    engine = device.make_engine(faces)
    with pytest.raises(RuntimeError, match="expected input"):
        await drawn_by(engine, [Row(np.zeros(7, np.float32), None)])
    assert len(await drawn_by(engine, sample_rows(faces, 1))) == 1


def test_a_device_that_is_not_there_is_told_at_once():
    with pytest.raises(NoSuchDevice, match="device 'nonsense' cannot be used"):
        Device(replace(SETTINGS, device="nonsense"))


async def test_engines_come_back_in_the_form_they_had_when_the_process_has_died(device, faces, digits, device_process):
    engines = [device.make_engine(generator) for generator in (faces, digits)]
    choices = [engine.choice for engine in engines]
    batches = [sample_rows(engine, 3) for engine in engines]
    drawn = [await drawn_by(engine, rows) for engine, rows in zip(engines, batches, strict=True)]
    killed(device_process())
    assert [await drawn_by(engine, rows) for engine, rows in zip(engines, batches, strict=True)] == drawn
    assert [engine.choice for engine in engines] == choices


@contextmanager
def busy_threads():
    """Within the context, the threads that the event loop has for everybody are all taken."""
    pool, released = ThreadPoolExecutor(1), threading.Event()
    asyncio.get_running_loop().set_default_executor(pool)
    pool.submit(released.wait)
    try:
        yield
    finally:
        released.set()


async def test_it_comes_back_whatever_the_threads_for_everybody_are_busy_with(device, faces, stopped):
    engine, rows = device.make_engine(faces), sample_rows(faces, 3)
    drawn = await drawn_by(engine, rows)
    with busy_threads():
        async with asyncio.timeout(120):
            stopped()
            [batch] = await on_its_way(engine.draw(rows))
            device.interrupt()
            with pytest.raises(DeviceFailed, match="ended with exit code -9"):
                await batch
            assert await drawn_by(engine, rows) == drawn


async def test_a_batch_on_a_process_that_dies_fails_and_so_says_how_it_ended(device, faces, device_process):
    engine = device.make_engine(faces)
    os.kill(device_process().pid, signal.SIGSTOP)
    drawing = asyncio.create_task(drawn_by(engine, sample_rows(faces, 1)))
    await asyncio.sleep(0.05)
    device.interrupt()
    with pytest.raises(DeviceFailed, match="ended with exit code -9"):
        await drawing


@pytest.fixture
def stopped(device_process):
    """A function that has the device's process stand still, and gives it."""

    def stop():
        process = device_process()
        os.kill(process.pid, signal.SIGSTOP)
        return process

    return stop


async def on_its_way(*batches):
    """Tasks of these batches, once the process has all of them to draw."""
    tasks = [asyncio.create_task(batch) for batch in batches]
    await asyncio.sleep(0.05)
    return tasks


async def test_batches_that_are_under_way_together_each_get_their_own_pictures(device, faces, digits, stopped):
    engines = [device.make_engine(generator) for generator in (faces, digits)]
    batches = [sample_rows(engine, count) for engine, count in zip(engines, (3, 8), strict=True)]
    alone = [await drawn_by(engine, rows) for engine, rows in zip(engines, batches, strict=True)]
    process = stopped()
    tasks = await on_its_way(*(drawn_by(engine, rows) for engine, rows in zip(engines, batches, strict=True)))
    os.kill(process.pid, signal.SIGCONT)
    assert await asyncio.gather(*tasks) == alone


async def test_nobody_gets_the_pictures_of_a_batch_that_was_cancelled(device, faces, stopped):
    engine = device.make_engine(faces)
    first, second = sample_rows(faces, 2)
    alone = await drawn_by(engine, [second])
    process = stopped()
    (left,) = await on_its_way(drawn_by(engine, [first]))
    left.cancel()
    await asyncio.wait([left])
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)
    assert await drawn_by(engine, [second]) == alone


@pytest.mark.parametrize("deaths", range(10))
async def test_of_two_batches_on_a_process_that_dies_the_second_was_never_begun(device, faces, stopped, deaths):
    engine = device.make_engine(faces)
    process = stopped()
    tasks = await on_its_way(*(drawn_by(engine, sample_rows(faces, 1)) for _ in range(2)))
    process.kill()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    for error in (first, second):
        assert "ended with exit code -9" in str(error)
    assert (type(first), type(second)) == (DeviceFailed, NeverBegun)


async def test_a_batch_hears_of_the_end_also_when_somebody_else_was_first_to_notice(device, faces, stopped):
    engine = device.make_engine(faces)
    process = stopped()
    (drawing,) = await on_its_way(drawn_by(engine, sample_rows(faces, 1)))
    killed(process)
    device.process()  # as whoever loads a model asks for it, in another thread
    with pytest.raises(DeviceFailed, match="ended with exit code -9"):
        await asyncio.wait_for(drawing, 60)


@pytest.fixture
def tall(generator_of):
    """A generator that takes a while to come back."""
    return generator_of(GeneratorSpec("dcgan", 6, 0, 256, 3, {"width": 16}))


def killed(process):
    """Its id, once it has ended."""
    process.kill()
    process.join()
    return process.pid


async def next_process(device, before):
    """The id of the process that is started in the place of that one."""
    while device.process_id() == before:  # noqa: ASYNC110 - it is on the other side
        await asyncio.sleep(0.001)
    return device.process_id()


async def test_a_process_that_hangs_while_an_engine_comes_back_is_ended_too(device, tall, device_process, monkeypatch):
    monkeypatch.setattr("latentwalk.server.device.remote._PATIENCE", 0.0)
    engine = device.make_engine(tall)
    rows = sample_rows(tall, 1)
    drawn = await drawn_by(engine, rows)
    dead = killed(device_process())
    drawing = asyncio.create_task(drawn_by(engine, rows))
    os.kill(await next_process(device, dead), signal.SIGSTOP)
    device.interrupt()
    with pytest.raises(DeviceFailed, match="ended with exit code -9"):
        await drawing
    assert await drawn_by(engine, rows) == drawn


@pytest.fixture
def hurried(monkeypatch):
    """A device whose process may give no sign of life for 2.5 s while it makes an engine."""
    monkeypatch.setattr("latentwalk.server.device.settings._FEWEST_SIGNS", 0)
    device = Device(replace(SETTINGS, watchdog_seconds=2.5))
    yield device
    device.close()


async def test_a_process_that_stands_still_while_it_makes_an_engine_is_replaced(hurried, faces, device_process):
    os.kill(device_process().pid, signal.SIGSTOP)
    with pytest.raises(DeviceFailed, match=r"no sign of life for 2\.5 s \(watchdog_seconds\), and is ended; try again"):
        await asyncio.to_thread(hurried.make_engine, faces)
    engine = await asyncio.to_thread(hurried.make_engine, faces)
    assert await drawn_by(engine, sample_rows(faces, 1))


async def test_an_engine_that_took_its_time_at_first_may_do_so_when_it_comes_back(device, tall, device_process):
    engine = device.make_engine(tall)
    dead = killed(device_process())
    drawing = asyncio.create_task(drawn_by(engine, sample_rows(tall, 1)))
    await next_process(device, dead)
    device.interrupt()
    assert await drawing


async def test_a_device_that_is_not_there_any_more_is_lost_until_it_is_back(device, faces, device_process, monkeypatch):
    engine = device.make_engine(faces)
    killed(device_process())
    monkeypatch.setattr(device, "_settings", replace(SETTINGS, device="cuda:99"))
    for _ in range(2):
        with pytest.raises(DeviceLost, match="cannot be used any more: device 'cuda:99'"):
            await drawn_by(engine, sample_rows(faces, 1))
        with pytest.raises(DeviceLost, match="cannot be used any more: device 'cuda:99'"):
            await device.seek()
    monkeypatch.setattr(device, "_settings", SETTINGS)
    await device.seek()
    assert await drawn_by(engine, sample_rows(faces, 1))


async def test_a_device_is_closed_also_while_its_next_process_hangs_at_the_start(device, faces, device_process):
    engine = device.make_engine(faces)
    dead = killed(device_process())
    drawing = asyncio.create_task(drawn_by(engine, sample_rows(faces, 1)))
    os.kill(await next_process(device, dead), signal.SIGSTOP)
    device.close()
    with pytest.raises(DeviceFailed):
        await drawing


async def test_a_signal_to_the_whole_group_does_not_end_it(device, faces, device_process):
    engine = device.make_engine(faces)
    process = device_process()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process.pid, number)
    assert await drawn_by(engine, sample_rows(faces, 1))
    assert device_process() is process


async def test_an_engine_that_nobody_has_any_more_is_forgotten(device, faces):
    gone, kept = device.make_engine(faces), device.make_engine(faces)
    del gone
    gc.collect()
    await drawn_by(kept, sample_rows(faces, 1))
    assert device.forgotten() == [], "the process has been told"


async def test_an_engine_that_nobody_has_any_more_goes_also_if_nothing_is_asked(device, faces):
    gone, rows = device.make_engine(faces), sample_rows(faces, 1)
    process, number = device.process(), gone._number
    tidying = asyncio.create_task(device.tidy(0.05))
    await asyncio.sleep(0.2)
    assert await drawn_by(gone, rows)
    del gone
    gc.collect()

    async def draw_on():
        while await process.draw([], Draw(number, rows)):  # noqa: ASYNC110 - it is on the other side
            await asyncio.sleep(0.02)

    with pytest.raises(RuntimeError, match=f"KeyError: {number}"):
        await asyncio.wait_for(draw_on(), 60)
    tidying.cancel()


@pytest.fixture
def hasty():
    """Threads take turns all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_what_is_forgotten_is_told_once_whoever_asks(device):
    numbers, together, told = range(20_000), threading.Barrier(8), []
    for number in numbers:
        device.forget(number)

    def ask():
        together.wait()
        told.extend(device.forgotten())

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "it waits for an engine that another thread has told of"
    assert sorted(told) == list(numbers)


async def test_a_device_that_was_closed_is_not_started_again(device, faces):
    engine = device.make_engine(faces)
    device.close()
    with pytest.raises(DeviceFailed, match="the server is ending"):
        await drawn_by(engine, sample_rows(faces, 1))
    with pytest.raises(DeviceFailed, match="the server is ending"):
        device.make_engine(faces)
