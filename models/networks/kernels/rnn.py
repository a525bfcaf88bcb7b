"""The simple cell's steps, compiled; the arithmetic is that of `etude.models.networks.cells.rnn`."""

from typing import Any

import numpy as np

from etude.models.networks.kernels.arithmetic import add_product, compiled, project, project_back, tanhs


@compiled
def forward(inputs: Any, kernel: Any, recurrent: Any, bias: Any, outputs: Any, projected: Any, product: Any) -> None:
    """All steps of a layer. Rows are those of the batch, step after step.

    Args:
      inputs: [steps x batch, input_size]; or the places of ones, [steps x batch].
      kernel: [input_size, units].
      recurrent: [units, units].
      bias: [units].
      outputs: [(1 + steps) x batch, units]; the first output stands in it, the others are written.
      projected: room for the steps that are projected at a time, [block x batch, units].
      product: room, [batch, units].
    """
    batch = len(product)
    block, steps = len(projected) // batch, len(outputs) // batch - 1
    for step in range(steps):
        first = step % block * batch
        if first == 0:
            stop = min(step + block, steps)
            project(inputs, step * batch, stop * batch, kernel, projected[: (stop - step) * batch])
        here, there = step * batch, (step + 1) * batch
        np.dot(outputs[here:there], recurrent, product)
        for row in range(batch):
            tanhs(product[row], projected[first + row], bias, outputs[there + row])


@compiled
def backward(
    inputs: Any, kernel: Any, recurrent: Any, outputs: Any, d_outputs: Any, d_output: Any, d_kernel: Any,
    d_recurrent: Any, d_bias: Any, d_inputs: Any, d_totals: Any, room: Any, recurrent_room: Any,
) -> None:  # fmt: skip
    """The gradients of `forward`.

    Args:
      inputs: as `forward` took them.
      kernel: transposed, [units, input_size].
      recurrent: transposed, [units, units].
      outputs: as `forward` wrote them.
      d_outputs: gradients with respect to the outputs, [steps x batch, units].
      d_output: with respect to the last output besides, [batch, units]; becomes that to the first.
      d_kernel: is added to, [input_size, units].
      d_recurrent: is added to, [units, units].
      d_bias: is added to, [units].
      d_inputs: [steps x batch, input_size]; no rows where they are not wanted.
      d_totals: room for the steps of a block, [block x batch, units].
      room: as d_kernel.
      recurrent_room: as d_recurrent.
    """
    batch, units = d_output.shape
    block, steps = len(d_totals) // batch, len(outputs) // batch - 1
    one = np.float32(1.0)
    for step in range(steps - 1, -1, -1):
        first = step % block * batch
        here, there = step * batch, (step + 1) * batch
        for row in range(batch):
            output, d_total, d_out, d_last = (
                outputs[there + row],
                d_totals[first + row],
                d_outputs[here + row],
                d_output[row],
            )
            for unit in range(units):
                d_total[unit] = (d_last[unit] + d_out[unit]) * (one - output[unit] * output[unit])
            for unit in range(units):
                d_bias[unit] += d_total[unit]
        np.dot(d_totals[first : first + batch], recurrent, d_output)
        if first == 0:
            stop = min(step + block, steps) * batch
            d_rows = d_totals[: stop - here]
            add_product(outputs[here:stop], d_rows, d_recurrent, recurrent_room)
            project_back(inputs, here, stop, kernel, d_rows, d_kernel, d_inputs, room)
