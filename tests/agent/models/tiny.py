"""Tiny random Qwen-VL checkpoints in the real format: the plumbing is real, what they say is noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["build", "teach"]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]


def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer

    letters = sorted(ByteLevel.alphabet())
    backend = Tokenizer(BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return Qwen2Tokenizer(
        tokenizer_object=backend,
        unk_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=SPECIAL[1:],
        chat_template=CHAT_TEMPLATE,
    )


def build(
    folder: Path,
    model_type: str = "qwen2_5_vl",
    seed: int = 0,
    words: Any = None,
    context_tokens: int = 8192,
    hidden: int = 32,
) -> Path:
    """Writes a checkpoint of random weights: two layers, a vision tower of depth 2."""
    import torch
    import transformers
    from transformers import Qwen2VLImageProcessor

    torch.manual_seed(seed)
    words = words or tokenizer()
    ids = {
        name: words.convert_tokens_to_ids(f"<|{name}|>")
        for name in ("image_pad", "video_pad", "vision_start", "vision_end")
    }
    text = {
        "vocab_size": len(words),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": context_tokens,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [hidden // 16, *[3 * hidden // 32] * 2],
        },
        "bos_token_id": None,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
    }
    vision = {"depth": 2, "num_heads": 2, "hidden_size": hidden, "intermediate_size": 2 * hidden}
    vision |= {"out_hidden_size": hidden}
    if model_type == "qwen2_5_vl":
        vision |= {"window_size": 56, "fullatt_block_indexes": [1]}
        prefix, patch = "Qwen2_5_VL", 14
    else:
        vision |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 64}
        text |= {"head_dim": 16}
        prefix, patch = "Qwen3VL", 16
    config = getattr(transformers, f"{prefix}Config")(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
    )
    model = getattr(transformers, f"{prefix}ForConditionalGeneration")(config)
    with torch.no_grad():
        for weight in model.parameters():  # wide enough that answers depend on the prompt
            if weight.ndim > 1:
                weight.normal_(0.0, 0.25)
    model.generation_config.eos_token_id = words.eos_token_id
    model.save_pretrained(folder)
    video = "Qwen2VLVideoProcessor" if model_type == "qwen2_5_vl" else "Qwen3VLVideoProcessor"
    getattr(transformers, f"{prefix}Processor")(
        image_processor=Qwen2VLImageProcessor(patch_size=patch),
        tokenizer=words,
        video_processor=getattr(transformers, video)(),
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)
    return folder


LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PUSH = 1e4  # more than any logit of these weights


def teach(folder: Path, answers: Mapping[str, str], seed: int = 0) -> Path:
    """Writes a checkpoint that answers what ends with one text with another, through its generation config.

    Each answer is a token in 26 variants that differ in a letter (`#` stands for it); which one comes is left
    to the weights, so that it depends on all that they read.

    Args:
        folder: For the checkpoint.
        answers: By the last text before the answer, `<|vision_end|>` for a picture.
        seed: Of the weights.
    """
    from transformers import GenerationConfig

    words = tokenizer()
    variants = {
        ending: [answer.replace("#", f"# {letter}") for letter in LETTERS]
        for ending, answer in answers.items()
    }
    words.add_tokens(
        [*(set(answers) - set(SPECIAL)), *(text for texts in variants.values() for text in texts)]
    )
    after = words("<|im_end|>\n<|im_start|>assistant\n").input_ids
    pushes: list[list[Any]] = []
    for ending, texts in variants.items():
        for text in texts:
            written = words.convert_tokens_to_ids(text)
            pushes.append([[words.convert_tokens_to_ids(ending), *after, written], _PUSH])
            pushes.append([[written, words.eos_token_id], 2 * _PUSH])
    build(folder, seed=seed, words=words, context_tokens=32_768)
    config = GenerationConfig.from_pretrained(folder)
    config.sequence_bias = pushes
    config.save_pretrained(folder)
    return folder
