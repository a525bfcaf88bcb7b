"""The LSTM's steps, compiled; the arithmetic is that of `etude.models.networks.cells.lstm`."""

from typing import Any

import numpy as np

from etude.models.networks.kernels.arithmetic import add_product, compiled, project, project_back, sigmoids, tanh, tanhs


@compiled
def forward(
    inputs: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    outputs: Any,
    cells: Any,
    gates: Any,
    projected: Any,
    product: Any,
) -> None:
    """All steps of a layer. Rows are those of the batch, step after step.

    Args:
      inputs: [steps x batch, input_size]; or the places of ones, [steps x batch].
      kernel: [input_size, 4 x units], gates in the order input, new input, forget, output.
      recurrent: [units, 4 x units].
      bias: [4 x units].
      outputs: [(1 + steps) x batch, units]; the first output stands in it, the others are written.
      cells: the same of the cells; or with room for two steps only, in which they take turns.
      gates: of every step after activation, [steps x batch, 4 x units]; or with room for the last step only.
      projected: room for the steps that are projected at a time, [block x batch, 4 x units].
      product: room, [batch, 4 x units].
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
        before, after = here % len(cells), there % len(cells)
        for row in range(batch):
            total, own, gate = product[row], projected[first + row], gates[kept + row]
            taken, new, forgotten, opened = gate[:units], gate[units:two], gate[two:three], gate[three:]
            sigmoids(total[:units], own[:units], bias[:units], taken)
            tanhs(total[units:two], own[units:two], bias[units:two], new)
            sigmoids(total[two:three], own[two:three], bias[two:three], forgotten)
            sigmoids(total[three:], own[three:], bias[three:], opened)
            old, cell, output = cells[before + row], cells[after + row], outputs[there + row]
            for unit in range(units):
                cell[unit] = forgotten[unit] * old[unit] + taken[unit] * new[unit]
            for unit in range(units):
                output[unit] = opened[unit] * tanh(cell[unit])


@compiled
def backward(
    inputs: Any, kernel: Any, recurrent: Any, outputs: Any, cells: Any, gates: Any, d_outputs: Any, d_output: Any,
    d_cell: Any, d_kernel: Any, d_recurrent: Any, d_bias: Any, d_inputs: Any, d_gates: Any, room: Any, recurrent_room: Any,
) -> None:  # fmt: skip
    """The gradients of `forward`.

    Args:
      inputs: as `forward` took them.
      kernel: transposed, [4 x units, input_size].
      recurrent: transposed, [4 x units, units].
      outputs: as `forward` wrote them.
      cells: of every step.
      gates: of every step.
      d_outputs: gradients with respect to the outputs, [steps x batch, units].
      d_output: with respect to the last output besides, [batch, units]; becomes that to the first.
      d_cell: the same of the cells.
      d_kernel: is added to, [input_size, 4 x units].
      d_recurrent: is added to, [units, 4 x units].
      d_bias: is added to, [4 x units].
      d_inputs: [steps x batch, input_size]; no rows where they are not wanted.
      d_gates: room for the steps of a block, [block x batch, 4 x units].
      room: as d_kernel.
      recurrent_room: as d_recurrent.
    """
    batch, units = d_output.shape
    two, three = 2 * units, 3 * units
    block, steps = len(d_gates) // batch, len(outputs) // batch - 1
    one = np.float32(1.0)
    for step in range(steps - 1, -1, -1):
        first = step % block * batch
        here, there = step * batch, (step + 1) * batch
        for row in range(batch):
            gate, d_gate, d_out = gates[here + row], d_gates[first + row], d_outputs[here + row]
            old, cell, d_state, d_last = cells[here + row], cells[there + row], d_cell[row], d_output[row]
            taken, new, forgotten, opened = gate[:units], gate[units:two], gate[two:three], gate[three:]
            d_taken, d_new, d_forgotten, d_opened = d_gate[:units], d_gate[units:two], d_gate[two:three], d_gate[three:]
            for unit in range(units):
                squashed = tanh(cell[unit])
                d, o = d_last[unit] + d_out[unit], opened[unit]
                d_state[unit] += d * o * (one - squashed * squashed)
                d_opened[unit] = d * squashed * o * (one - o)
            for unit in range(units):
                d, i, n, f = d_state[unit], taken[unit], new[unit], forgotten[unit]
                d_taken[unit] = d * n * i * (one - i)
                d_new[unit] = d * i * (one - n * n)
                d_forgotten[unit] = d * old[unit] * f * (one - f)
                d_state[unit] = d * f
            for column in range(len(d_bias)):
                d_bias[column] += d_gate[column]
        np.dot(d_gates[first : first + batch], recurrent, d_output)
        if first == 0:
            stop = min(step + block, steps) * batch
            d_rows = d_gates[: stop - here]
            add_product(outputs[here:stop], d_rows, d_recurrent, recurrent_room)
            project_back(inputs, here, stop, kernel, d_rows, d_kernel, d_inputs, room)
