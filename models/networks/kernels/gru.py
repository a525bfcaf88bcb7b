"""The gated recurrent unit's steps, compiled; the arithmetic is that of `etude.models.networks.cells.gru`."""

from typing import Any

import numpy as np

from etude.models.networks.kernels.arithmetic import add_product, compiled, project, project_back, sigmoids, tanh


@compiled
def forward(
    inputs: Any, kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any, outputs: Any, gates: Any, projected: Any,
    product: Any,
) -> None:  # fmt: skip
    """All steps of a layer. Rows are those of the batch, step after step.

    Args:
      inputs: [steps x batch, input_size]; or the places of ones, [steps x batch].
      kernel: [input_size, 3 x units], gates in the order update, reset, new.
      recurrent: [units, 3 x units].
      bias: [3 x units], with the recurrent one's share of update and reset.
      recurrent_bias: of new alone, [units].
      outputs: [(1 + steps) x batch, units]; the first output stands in it, the others are written.
      gates: of every step, update, reset and new after activation, and what the last output gave to new,
        [steps x batch, 4 x units]; or with room for the last step only.
      projected: room for the steps that are projected at a time, [block x batch, 3 x units].
      product: room, [batch, 3 x units].
    """
    batch, units = len(product), len(recurrent)
    two, three = 2 * units, 3 * units
    block, steps = len(projected) // batch, len(outputs) // batch - 1
    for step in range(steps):
        first = step % block * batch
        if first == 0:
            stop = min(step + block, steps)
            project(inputs, step * batch, stop * batch, kernel, projected[: (stop - step) * batch])
        here, there = step * batch, (step + 1) * batch
        np.dot(outputs[here:there], recurrent, product)
        kept = here % len(gates)
        for row in range(batch):
            total, own, gate = product[row], projected[first + row], gates[kept + row]
            update, reset, new, back = gate[:units], gate[units:two], gate[two:three], gate[three:]
            sigmoids(total[:units], own[:units], bias[:units], update)
            sigmoids(total[units:two], own[units:two], bias[units:two], reset)
            own_new, total_new, bias_new = own[two:], total[two:], bias[two:]
            for unit in range(units):
                back[unit] = total_new[unit] + recurrent_bias[unit]
            for unit in range(units):
                new[unit] = tanh(own_new[unit] + bias_new[unit] + reset[unit] * back[unit])
            old, output = outputs[here + row], outputs[there + row]
            for unit in range(units):
                output[unit] = new[unit] + update[unit] * (old[unit] - new[unit])


@compiled
def backward(
    inputs: Any, kernel: Any, recurrent: Any, outputs: Any, gates: Any, d_outputs: Any, d_output: Any, d_kernel: Any,
    d_recurrent: Any, d_bias: Any, d_recurrent_bias: Any, d_inputs: Any, d_gates: Any, d_products: Any, room: Any,
    recurrent_room: Any,
) -> None:  # fmt: skip
    """The gradients of `forward`.

    Args:
      inputs: as `forward` took them.
      kernel: transposed, [3 x units, input_size].
      recurrent: transposed, [3 x units, units].
      outputs: as `forward` wrote them.
      gates: of every step.
      d_outputs: gradients with respect to the outputs, [steps x batch, units].
      d_output: with respect to the last output besides, [batch, units]; becomes that to the first.
      d_kernel: is added to, [input_size, 3 x units].
      d_recurrent: is added to, [units, 3 x units].
      d_bias: is added to, [3 x units].
      d_recurrent_bias: is added to, [3 x units], here of all gates.
      d_inputs: [steps x batch, input_size]; no rows where they are not wanted.
      d_gates: room for a block, with respect to what the inputs gave, [block x batch, 3 x units].
      d_products: the same of what the last output gave.
      room: as d_kernel.
      recurrent_room: as d_recurrent.
    """
    batch, units = d_output.shape
    two, three = 2 * units, 3 * units
    block, steps = len(d_gates) // batch, len(outputs) // batch - 1
    one = np.float32(1.0)
    for step in range(steps - 1, -1, -1):
        first = step % block * batch
        here = step * batch
        for row in range(batch):
            gate, d_gate, d_product = gates[here + row], d_gates[first + row], d_products[first + row]
            update, reset, new, back = gate[:units], gate[units:two], gate[two:three], gate[three:]
            d_update, d_reset, d_new, d_back = d_gate[:units], d_gate[units:two], d_gate[two:], d_product[two:]
            old, d_out, d_last = outputs[here + row], d_outputs[here + row], d_output[row]
            for unit in range(units):
                d, u, n, r = d_last[unit] + d_out[unit], update[unit], new[unit], reset[unit]
                d_n = d * (one - u) * (one - n * n)
                d_new[unit] = d_n
                d_back[unit] = d_n * r
                d_update[unit] = d * (old[unit] - n) * u * (one - u)
                d_reset[unit] = d_n * back[unit] * r * (one - r)
                d_last[unit] = d * u
            d_product[:two] = d_gate[:two]
            for column in range(len(d_bias)):
                d_bias[column] += d_gate[column]
                d_recurrent_bias[column] += d_product[column]
        d_rows = d_products[first : first + batch]
        add_rows(d_rows, recurrent, d_output)
        if first == 0:
            stop = min(step + block, steps) * batch
            add_product(outputs[here:stop], d_products[: stop - here], d_recurrent, recurrent_room)
            project_back(inputs, here, stop, kernel, d_gates[: stop - here], d_kernel, d_inputs, room)


@compiled
def add_rows(rows: Any, matrix: Any, total: Any) -> None:
    """Adds rows x matrix to the total."""
    product = np.dot(rows, matrix)
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[row, column] += product[row, column]
