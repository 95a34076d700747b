"""The dimensions of a decoder-only transformer, and the counts that follow from them.

Everything the estimator knows about a model follows from these few integers; no
weights are needed. Symbols in the docstrings: L layers, h hidden width, f width of a
feed-forward network (of one expert), q and k widths of all query and of all key heads,
V vocabulary.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Dimensions from a config.json, one field for each that adds parameters.

    `query` and `key_value` are heads x head width, so grouped-query attention is only a
    smaller `key_value`. `gated` feed-forward networks have three matrices, others two.
    With experts, `ffn` is the width of one of them. `head_norm` counts the weights of
    norms on queries and keys, a layer. `positions` counts learned positions (0:
    rotary). With `fused_projections`, as in Phi-3, queries, keys and values are one
    matrix, gate and up another: as many weights, but fewer adapters.
    """

    layers: int
    hidden: int
    ffn: int
    query: int
    key_value: int
    vocabulary: int
    gated: bool = True
    tied_embeddings: bool = False
    experts: int = 0
    experts_per_token: int = 0
    qkv_bias: bool = False
    output_bias: bool = False
    ffn_bias: bool = False
    head_bias: bool = False
    norms_per_layer: int = 2
    norm_bias: bool = False
    head_norm: int = 0
    positions: int = 0
    fused_projections: bool = False

    def __post_init__(self) -> None:
        sizes = (self.layers, self.hidden, self.ffn, self.query, self.key_value)
        if min(*sizes, self.vocabulary) < 1:
            raise ValueError(f"Every dimension must be at least 1; received {self}.")
        if self.experts and not 1 <= self.experts_per_token <= self.experts:
            raise ValueError(
                f"Received {self.experts_per_token} experts per token of "
                f"{self.experts}; must be from 1 to the number of experts."
            )

    @property
    def is_mixture(self) -> bool:
        return self.experts > 0

    @property
    def attention_parameters(self) -> int:
        """Weights of the four projections of one layer: 2 h q + 2 h k."""
        return 2 * self.hidden * (self.query + self.key_value)

    @property
    def expert_parameters(self) -> int:
        """Weights of one feed-forward network: 3 h f when gated, else 2 h f."""
        return (3 if self.gated else 2) * self.hidden * self.ffn

    @property
    def linear_parameters(self) -> int:
        """N: the weights of all layers' matrices, those that QLoRA stores in 4 bits."""
        networks = max(self.experts, 1) * self.expert_parameters
        return self.layers * (self.attention_parameters + networks)

    @property
    def active_parameters(self) -> int:
        """N_l: the layers' weights that one token passes through."""
        networks = max(self.experts_per_token, 1) * self.expert_parameters
        return self.layers * (self.attention_parameters + networks)

    @property
    def head_parameters(self) -> int:
        """N_v = h V: the output head, sharing the embedding's weights or not."""
        return self.hidden * self.vocabulary

    @property
    def embedding_parameters(self) -> int:
        """Embedding and output head as stored: h V once when tied, else twice."""
        stored = 1 if self.tied_embeddings else 2
        return stored * self.head_parameters + self.positions * self.hidden

    @property
    def small_parameters(self) -> int:
        """Norms, biases and routers: below 0.1 % of a model, counted to be exact."""
        norm = self.hidden * (2 if self.norm_bias else 1)
        networks = max(self.experts, 1)
        inner = self.ffn * (2 if self.gated else 1)
        layer = (
            self.norms_per_layer * norm
            + self.head_norm
            + (self.query + 2 * self.key_value) * self.qkv_bias
            + self.hidden * self.output_bias
            + networks * (inner + self.hidden) * self.ffn_bias
            + self.hidden * self.experts
        )
        return self.layers * layer + norm + self.vocabulary * self.head_bias

    @property
    def parameters(self) -> int:
        """All parameters of the model, as its makers count them."""
        return (
            self.linear_parameters + self.embedding_parameters + self.small_parameters
        )

    def lora_parameters(self, rank: int) -> int:
        """P_a = rank * sum(d_in + d_out) over the trainer's default targets.

        Those are all projections of attention and dense feed-forward network, not the
        output head. Experts and router of a mixture are left as they are, so it gets
        adapters on its attention only.
        """
        h, f, q, k = self.hidden, self.ffn, self.query, self.key_value
        if self.fused_projections:
            attention, network = (h + q + 2 * k) + (q + h), (h + 2 * f) + (f + h)
        else:
            attention = 2 * (h + q) + 2 * (h + k)
            network = (3 if self.gated else 2) * (h + f)
        return rank * self.layers * (attention + network * (not self.is_mixture))

    @property
    def activation_width(self) -> int:
        """Elements that one token leaves in one layer: 4 h + 2 q + 2 k + 3 f.

        Inputs of both norms and of both residual sums, queries and the attention's
        output, keys and values, and the feed-forward network's inner tensors (two
        without a gate, 3 a chosen expert).
        """
        inner = (3 if self.gated else 2) * self.ffn * max(self.experts_per_token, 1)
        return 4 * self.hidden + 2 * self.query + 2 * self.key_value + inner

    @property
    def adapted_width(self) -> int:
        """Elements of one token that enter the adapted matrices of one layer.

        Queries, keys and values read the same hidden state, but each adapter drops its
        own share of it: 3 h + q, and 2 h + f of a dense feed-forward network. Fused
        projections read it once: h + q, and h + f.
        """
        fused = self.fused_projections
        attention = (1 if fused else 3) * self.hidden + self.query
        if self.is_mixture:
            return attention
        read = 2 if self.gated and not fused else 1
        return attention + read * self.hidden + self.ffn
