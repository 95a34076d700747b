"""Popular open base models with their exact dimensions.

Source of every row: `config.json` in the model's repository on the Hugging Face hub
(the `id`) for the dimensions, the size in the metadata of its safetensors index for
`published_parameters` (tied weights counted once). Dimensions that share weights or add
biases are given exactly, so both figures agree; a test holds every row to 0.5 %.
"""

from dataclasses import dataclass

from training.domain.catalogue.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A base model that can be estimated without downloading it."""

    id: str
    published_parameters: int
    architecture: Architecture

    @property
    def source(self) -> str:
        """Where to check the numbers."""
        return f"https://huggingface.co/{self.id}/blob/main/config.json"


def _model(
    id: str,
    published: int,
    layers: int,
    hidden: int,
    ffn: int,
    query: int,
    key_value: int,
    vocabulary: int,
    *,
    tied: bool = False,
    qkv_bias: bool = False,
    head_norm: int = 0,
    norms: int = 2,
    fused: bool = False,
    experts: tuple[int, int] = (0, 0),
) -> KnownModel:
    dimensions = Architecture(
        layers=layers,
        hidden=hidden,
        ffn=ffn,
        query=query,
        key_value=key_value,
        vocabulary=vocabulary,
        tied_embeddings=tied,
        qkv_bias=qkv_bias,
        head_norm=head_norm,
        norms_per_layer=norms,
        fused_projections=fused,
        experts=experts[0],
        experts_per_token=experts[1],
    )
    return KnownModel(id=id, published_parameters=published, architecture=dimensions)


# id, published parameters, layers, hidden, ffn, query, key_value, vocabulary
_DENSE = (
    _model(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        *(134_515_008, 30, 576, 1536, 576, 192, 49152),
        tied=True,
    ),
    _model(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        *(361_821_120, 32, 960, 2560, 960, 320, 49152),
        tied=True,
    ),
    _model(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        *(1_711_376_384, 24, 2048, 8192, 2048, 2048, 49152),
        tied=True,
    ),
    _model(
        "Qwen/Qwen2.5-0.5B-Instruct",
        *(494_032_768, 24, 896, 4864, 896, 128, 151936),
        tied=True,
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-1.5B-Instruct",
        *(1_543_714_304, 28, 1536, 8960, 1536, 256, 151936),
        tied=True,
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-3B-Instruct",
        *(3_085_938_688, 36, 2048, 11008, 2048, 256, 151936),
        tied=True,
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-7B-Instruct",
        *(7_615_616_512, 28, 3584, 18944, 3584, 512, 152064),
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-14B-Instruct",
        *(14_770_033_664, 48, 5120, 13824, 5120, 1024, 152064),
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-32B-Instruct",
        *(32_763_876_352, 64, 5120, 27648, 5120, 1024, 152064),
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen2.5-72B-Instruct",
        *(72_706_203_648, 80, 8192, 29568, 8192, 1024, 152064),
        qkv_bias=True,
    ),
    _model(
        "Qwen/Qwen3-0.6B",
        *(596_049_920, 28, 1024, 3072, 2048, 1024, 151936),
        tied=True,
        head_norm=256,
    ),
    _model(
        "Qwen/Qwen3-1.7B",
        *(1_720_574_976, 28, 2048, 6144, 2048, 1024, 151936),
        tied=True,
        head_norm=256,
    ),
    _model(
        "Qwen/Qwen3-4B",
        *(4_022_468_096, 36, 2560, 9728, 4096, 1024, 151936),
        tied=True,
        head_norm=256,
    ),
    _model(
        "Qwen/Qwen3-8B",
        *(8_190_735_360, 36, 4096, 12288, 4096, 1024, 151936),
        head_norm=256,
    ),
    _model(
        "Qwen/Qwen3-14B",
        *(14_768_307_200, 40, 5120, 17408, 5120, 1024, 151936),
        head_norm=256,
    ),
    _model(
        "Qwen/Qwen3-32B",
        *(32_762_123_264, 64, 5120, 25600, 8192, 1024, 151936),
        head_norm=256,
    ),
    _model(
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        *(1_100_048_384, 22, 2048, 5632, 2048, 256, 32000),
    ),
    _model(
        "meta-llama/Llama-3.2-1B-Instruct",
        *(1_235_814_400, 16, 2048, 8192, 2048, 512, 128256),
        tied=True,
    ),
    _model(
        "meta-llama/Llama-3.2-3B-Instruct",
        *(3_212_749_824, 28, 3072, 8192, 3072, 1024, 128256),
        tied=True,
    ),
    _model(
        "meta-llama/Llama-3.1-8B-Instruct",
        *(8_030_261_248, 32, 4096, 14336, 4096, 1024, 128256),
    ),
    _model(
        "meta-llama/Llama-3.3-70B-Instruct",
        *(70_553_706_496, 80, 8192, 28672, 8192, 1024, 128256),
    ),
    _model(
        "meta-llama/Llama-2-7b-chat-hf",
        *(6_738_415_616, 32, 4096, 11008, 4096, 4096, 32000),
    ),
    _model(
        "meta-llama/Llama-2-13b-chat-hf",
        *(13_015_864_320, 40, 5120, 13824, 5120, 5120, 32000),
    ),
    _model(
        "mistralai/Mistral-7B-Instruct-v0.3",
        *(7_248_023_552, 32, 4096, 14336, 4096, 1024, 32768),
    ),
    _model(
        "mistralai/Mistral-Nemo-Instruct-2407",
        *(12_247_782_400, 40, 5120, 14336, 4096, 1024, 131072),
    ),
    _model(
        "01-ai/Yi-34B-Chat",
        *(34_388_917_248, 60, 7168, 20480, 7168, 1024, 64000),
    ),
    _model(
        "google/gemma-2-2b-it",
        *(2_614_341_888, 26, 2304, 9216, 2048, 1024, 256000),
        tied=True,
        norms=4,
    ),
    _model(
        "google/gemma-2-9b-it",
        *(9_241_705_984, 42, 3584, 14336, 4096, 2048, 256000),
        tied=True,
        norms=4,
    ),
    _model(
        "microsoft/Phi-3-mini-4k-instruct",
        *(3_821_079_552, 32, 3072, 8192, 3072, 3072, 32064),
        fused=True,
    ),
    _model(
        "microsoft/phi-4",
        *(14_659_507_200, 40, 5120, 17920, 5120, 1280, 100352),
        fused=True,
    ),
)
_MIXTURES = (
    _model(
        "allenai/OLMoE-1B-7B-0924-Instruct",
        *(6_919_161_856, 16, 2048, 1024, 2048, 2048, 50304),
        head_norm=4096,
        experts=(64, 8),
    ),
    _model(
        "Qwen/Qwen3-30B-A3B",
        *(30_532_122_624, 48, 2048, 768, 4096, 512, 151936),
        head_norm=256,
        experts=(128, 8),
    ),
    _model(
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        *(46_702_792_704, 32, 4096, 14336, 4096, 1024, 32000),
        experts=(8, 2),
    ),
    _model(
        "mistralai/Mixtral-8x22B-Instruct-v0.1",
        *(140_630_071_296, 56, 6144, 16384, 6144, 1024, 32768),
        experts=(8, 2),
    ),
)

KNOWN_MODELS = {model.id: model for model in (*_DENSE, *_MIXTURES)}
