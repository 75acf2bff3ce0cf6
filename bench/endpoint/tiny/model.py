"""A language model of 200,000 random weights as a GGUF file that llama.cpp serves.

References
----------
GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CONTEXT = 4096  # [token]
_EMBEDDING, _LAYERS, _FEED_FORWARD, _HEADS, _KV_HEADS = 64, 2, 128, 4, 2
_SPACE = "\u2581"  # begins a word
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6  # types of a token


def write_model(path: Path, seed: int = 0) -> None:
    """Write the model.

    Parameters
    ----------
    path
        The file.
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
    writer.add_embedding_length(_EMBEDDING)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_rope_dimension_count(_EMBEDDING // _HEADS)
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
        return (generator.standard_normal(shape) * 0.05).astype(np.float32)

    output = random(len(special) + len(words), _EMBEDDING)
    output[: len(special)] = 0.0
    writer.add_tensor("token_embd.weight", random(*output.shape))
    writer.add_tensor("output_norm.weight", np.ones(_EMBEDDING, np.float32))
    writer.add_tensor("output.weight", output)
    keys = _EMBEDDING * _KV_HEADS // _HEADS
    for layer in range(_LAYERS):
        shapes = {
            "attn_q": (_EMBEDDING, _EMBEDDING),
            "attn_k": (keys, _EMBEDDING),
            "attn_v": (keys, _EMBEDDING),
            "attn_output": (_EMBEDDING, _EMBEDDING),
            "ffn_gate": (_FEED_FORWARD, _EMBEDDING),
            "ffn_up": (_FEED_FORWARD, _EMBEDDING),
            "ffn_down": (_EMBEDDING, _FEED_FORWARD),
        }
        for name, shape in shapes.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", random(*shape))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(_EMBEDDING, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
