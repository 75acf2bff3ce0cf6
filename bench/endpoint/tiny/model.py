"""A language model of random weights as a GGUF file that llama.cpp serves.

References
----------
GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.endpoint.tiny.sizes import Size

CONTEXT = 4096  # [token]
_LARGEST_WEIGHT = 0.0866  # [-] of a uniform distribution whose standard deviation is 0.05
_SPACE = "\u2581"  # begins a word
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6  # types of a token


def write_model(path: Path, size: Size, seed: int = 0) -> None:
    """Write the model.

    Parameters
    ----------
    path
        The file.
    size
        Its sizes.
    seed
        Seed of the weights.

    Notes
    -----
    Its vocabulary has the words of one and two letters, so that every word is reached by joining pairs. The output
    weights of all other tokens are 0: the model never ends by itself and its text is plain.
    """
    import gguf

    generator = np.random.default_rng(seed)
    letters = [chr(ord("a") + i) for i in range(26)]
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, _SPACE]
    words = [_SPACE + letter for letter in letters] + [_SPACE + a + b for a in letters for b in letters]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(size.embedding)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.kv_heads)
    writer.add_rope_dimension_count(size.embedding // size.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(special) + len(words))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(special + words)
    scores = [0.0] * 259 + [-1000.0] * 27 + [-10.0 - 0.01 * i for i in range(len(words))]
    writer.add_token_scores(scores)
    writer.add_token_types([_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256, *[_NORMAL] * (27 + len(words))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(value=True)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

    def random(*shape: int) -> NDArray[np.float32]:
        weights = generator.random(shape, np.float32)
        weights -= 0.5
        weights *= 2.0 * _LARGEST_WEIGHT
        return weights

    output = random(len(special) + len(words), size.embedding)
    output[: len(special)] = 0.0
    writer.add_tensor("token_embd.weight", random(*output.shape))
    writer.add_tensor("output_norm.weight", np.ones(size.embedding, np.float32))
    writer.add_tensor("output.weight", output)
    keys = size.embedding * size.kv_heads // size.heads
    for layer in range(size.layers):
        shapes = {
            "attn_q": (size.embedding, size.embedding),
            "attn_k": (keys, size.embedding),
            "attn_v": (keys, size.embedding),
            "attn_output": (size.embedding, size.embedding),
            "ffn_gate": (size.feed_forward, size.embedding),
            "ffn_up": (size.feed_forward, size.embedding),
            "ffn_down": (size.embedding, size.feed_forward),
        }
        for name, shape in shapes.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", random(*shape))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(size.embedding, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
