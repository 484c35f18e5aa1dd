"""What a change of adapters does to clients that keep asking."""

from wire import ask

from lifelong.serving import hot_swap


def test_an_adapter_is_swapped_while_clients_keep_asking(engine, protocol, adapter):
    protocol.delay = 0.01
    engine.publish(adapter("lifelong-v1"))
    swap = hot_swap(engine, "lifelong-v1", adapter("lifelong-v2", fill=2.0), ask("x"))
    assert swap.failures == ()
    assert {text for _, text in swap.answers} == {"lifelong-v1 on x", "lifelong-v2 on x"}
    assert all(text == f"{name} on x" for name, text in swap.answers)
    assert 0 < swap.seconds_to_publish < swap.seconds_to_answer < swap.seconds
    assert "lifelong-v1" not in protocol.adapters
