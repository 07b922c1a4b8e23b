import threading
import time

from loantap.serving.api.slots import Slots
from tests.support.waiting import wait_until


def test_as_many_as_there_are_slots_work_at_once():
    slots = Slots(2, room=0, patience=1)

    assert [slots.take(), slots.take(), slots.take()] == [True, True, False]

    slots.give_back()
    assert slots.take()


def test_who_waited_longest_is_next():
    slots, served = Slots(1, room=5, patience=10), []
    slots.take()
    threads = []

    def work(number):
        if slots.take():
            served.append(number)
            slots.give_back()

    for number in range(5):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        wait_until(lambda n=number: len(slots._waiting) == n + 1)
    slots.give_back()
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_who_comes_when_the_room_is_full_is_refused_at_once():
    slots = Slots(1, room=1, patience=60)
    slots.take()
    waiting = threading.Thread(target=slots.take)
    waiting.start()
    wait_until(lambda: len(slots._waiting) == 1)

    began = time.monotonic()
    assert not slots.take()
    assert time.monotonic() - began < 10

    slots.give_back()
    waiting.join()


def test_who_has_waited_long_enough_is_refused_and_leaves_the_queue():
    slots = Slots(1, room=1, patience=0.05)
    slots.take()

    assert not slots.take()

    slots.give_back()
    assert slots.take()
    assert not slots.take()
