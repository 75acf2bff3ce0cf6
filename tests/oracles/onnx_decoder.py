"""A dense decoder as an ONNX graph with onnxruntime's fused attention: the replay's shapes, independently."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def decoder_graph(shape, weights, capacity):
    """Return an ONNX model of `weights`: tokens and shared caches in, next tokens and caches out."""
    half = np.arange(shape.head_size // 2)
    angle = np.arange(capacity)[:, None] * shape.rope_theta ** (-2.0 * half / shape.head_size)
    constants, nodes, inputs, outputs = [], [], [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(kind, entering, leaving, **attributes):
        nodes.append(helper.make_node(kind, entering, leaving, **attributes))
        return leaving[0]

    def norm(stream, scale, name):
        attributes = {"axis": -1, "epsilon": shape.norm_eps, "stash_type": 1}
        return add("SimplifiedLayerNormalization", [stream, constant(f"{name}.scale", scale)], [name], **attributes)

    def product(stream, matrix, name):
        return add("MatMul", [stream, constant(f"{name}.weight", matrix.T)], [name])

    inputs.append(helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "n"]))
    inputs.append(helper.make_tensor_value_info("last_position", TensorProto.INT32, ["batch"]))
    inputs.append(helper.make_tensor_value_info("total", TensorProto.INT32, []))
    cosine, sine = (constant(n, f(angle).astype(np.float32)) for n, f in (("cosine", np.cos), ("sine", np.sin)))
    cache_shape = ["batch", shape.kv_heads, capacity, shape.head_size]
    stream = add("Gather", [constant("embedding", weights.embedding), "tokens"], ["embedded"], axis=0)
    for index, layer in enumerate(weights.layers):
        name = f"layer{index}"
        qkv = product(norm(stream, layer.attention_norm, f"{name}.attention_norm"), layer.qkv, f"{name}.qkv")
        past, present = ([f"{name}.{when}.{part}" for part in ("key", "value")] for when in ("past", "present"))
        inputs.extend(helper.make_tensor_value_info(one, TensorProto.FLOAT, cache_shape) for one in past)
        outputs.extend(helper.make_tensor_value_info(one, TensorProto.FLOAT, cache_shape) for one in present)
        mixed = add(
            "GroupQueryAttention", [qkv, "", "", *past, "last_position", "total", cosine, sine],
            [f"{name}.mixed", *present],
            domain="com.microsoft", num_heads=shape.heads, kv_num_heads=shape.kv_heads, do_rotary=1,
            rotary_interleaved=0, scale=shape.head_size**-0.5,
        )  # fmt: skip
        stream = add("Add", [stream, product(mixed, layer.out, f"{name}.out")], [f"{name}.attended"])
        entering = norm(stream, layer.ffn_norm, f"{name}.ffn_norm")
        gate = product(entering, layer.gate_up[0][: shape.ffn], f"{name}.gate")
        up = product(entering, layer.gate_up[0][shape.ffn :], f"{name}.up")
        silu = add("Mul", [gate, add("Sigmoid", [gate], [f"{name}.sigmoid"])], [f"{name}.silu"])
        inner = add("Mul", [silu, up], [f"{name}.inner"])
        stream = add("Add", [stream, product(inner, layer.down[0], f"{name}.down")], [f"{name}.leaving"])
    last = add("Gather", [stream, constant("minus_one", np.array([-1]))], ["last"], axis=1)
    logits = product(norm(last, weights.norm, "norm"), weights.head, "logits")
    add("ArgMax", [logits], ["next"], axis=2, keepdims=0)
    outputs.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1, shape.vocabulary]))
    outputs.append(helper.make_tensor_value_info("next", TensorProto.INT64, ["batch", 1]))
    graph = helper.make_graph(nodes, "decoder", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


class OnnxReplay:
    """The graph with caches that onnxruntime updates in place; one session a copy of the weights, taken in turn."""

    def __init__(self, shape, batch, capacity, copies, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.batch, self.length, self.turn = batch, 0, 0
        self.sessions = [
            onnxruntime.InferenceSession(
                decoder_graph(shape, one, capacity).SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            for one in copies
        ]
        cache = (batch, shape.kv_heads, capacity, shape.head_size)
        self.caches = {
            f"layer{index}.past.{part}": onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(cache, np.float32))
            for index in range(shape.layers)
            for part in ("key", "value")
        }

    def run(self, tokens):
        """Read tokens [batch, n] after `length` and return logits [batch, vocabulary]."""
        session = self.sessions[self.turn % len(self.sessions)]
        self.turn += 1
        self.length += tokens.shape[1]
        binding = session.io_binding()
        binding.bind_cpu_input("tokens", np.ascontiguousarray(tokens))
        binding.bind_cpu_input("last_position", np.full(self.batch, self.length - 1, np.int32))
        binding.bind_cpu_input("total", np.array(self.length, np.int32))
        for name, cache in self.caches.items():
            binding.bind_ortvalue_input(name, cache)
            binding.bind_ortvalue_output(name.replace("past", "present"), cache)
        binding.bind_output("logits")
        binding.bind_output("next")
        session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()[-2][:, 0]
