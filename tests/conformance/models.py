"""Small models of the kinds of Keras's public examples, each with data of its shape, as people write them."""

from __future__ import annotations

import numpy as np

from tests.conformance import guides, images, labels, optimizers, own_parts, sequences, tables
from tests.conformance.case import (
    BINARY,
    CLASSES,
    COLUMNS,
    FILMS,
    IMAGES,
    NUMBER,
    PADDED,
    SERIES,
    TABLE,
    TOKENS,
    WEIGHTS,
    Case,
    Terms,
)

_FIXED_BATCH = Terms(batch_size=15)
_NO_LABELS = "a model without labels"
SHARES = np.clip(np.abs(TABLE) / 4, 0, 1)
TRAFFIC = SERIES[:, :6, :, None]  # steps of four roads

CASES = [
    Case("MLP", tables.mlp, TABLE, CLASSES),
    Case("regression, huber", tables.regression, TABLE, NUMBER),
    Case("Sequential without Input", tables.without_input, TABLE, CLASSES, quick=True),
    Case("batch normalisation", tables.batch_normalised, TABLE, CLASSES),
    Case("regularisers, constraint", tables.regularised, TABLE, CLASSES),
    Case("sample weights", tables.mlp, TABLE, CLASSES, weights=WEIGHTS),
    Case("adapted Normalization", tables.adapted_normalisation, TABLE, CLASSES),
    Case("structured data", tables.structured_data, COLUMNS, BINARY),
    Case("wide and deep", tables.wide_and_deep, COLUMNS, BINARY, tolerance=3e-3),
    Case("gated residual network", tables.gated_residual, TABLE, CLASSES),
    Case("recommender", tables.recommender, np.stack([COLUMNS["job"][:, 0], COLUMNS["job"][::-1, 0]], 1), BINARY),
    Case("siamese", tables.siamese, [TABLE, TABLE[::-1].copy()], (CLASSES[::-1] == CLASSES).astype("float32")),
    Case("autoencoder", tables.autoencoder, TABLE, TABLE),
    Case("multi-label", tables.multi_label, TABLE, (TABLE[:, :4] > 0.3).astype("float32")),
    Case("imbalanced, AUC and recall", tables.imbalanced, TABLE, BINARY),
    Case("several outputs", tables.several_outputs, TABLE, {"kind": CLASSES, "size": NUMBER}, quick=True),
    Case("bag of words", sequences.bag_of_words, TOKENS, CLASSES),
    Case("numbers looked up and hashed", sequences.looked_up, TOKENS, CLASSES),
    Case("LSTM", sequences.lstm, SERIES, CLASSES),
    Case("GRU", sequences.gru, SERIES, CLASSES),
    Case("bidirectional LSTM", sequences.bidirectional, TOKENS, CLASSES),
    Case("masked LSTM", sequences.masked_lstm, PADDED, CLASSES),
    Case("LSTM over 40 steps", sequences.long_lstm, SERIES, CLASSES),
    Case("recurrent, unknown steps, masked", sequences.unknown_steps, PADDED, CLASSES),
    Case("recurrent, own cells", sequences.own_cells, SERIES, CLASSES, quick=True),
    Case("recurrent dropout", sequences.recurrent_dropout, SERIES[:, :5], CLASSES, quick=True),
    Case("stateful LSTM", sequences.stateful, SERIES, CLASSES, alone="does more than compute", random=True, terms=_FIXED_BATCH),
    Case("Conv1D", sequences.convolution_1d, SERIES, CLASSES),
    Case("transformer", sequences.transformer, TOKENS, CLASSES),
    Case("attention", sequences.attention, SERIES, CLASSES),
    Case("tagger", sequences.tagger, TOKENS, TOKENS % 4),
    Case("GPT", sequences.gpt, TOKENS, np.roll(TOKENS, -1, 1)),
    Case("seq2seq", sequences.seq2seq, {"source": TOKENS, "target": TOKENS[:, :6]}, TOKENS[:, 1:7]),
    Case("Conv2D", images.convolution_2d, IMAGES, CLASSES, quick=True),
    Case("residual network", images.residual, IMAGES, CLASSES),
    Case("Conv2D with bias, batch normalisation", images.normalised_with_bias, IMAGES, CLASSES, tolerance=3e-3),
    Case("separable convolution", images.separable, IMAGES, CLASSES),
    Case("ConvLSTM2D", images.convolution_lstm, FILMS, CLASSES),
    Case("convolutional autoencoder", images.convolutional_autoencoder, IMAGES, IMAGES),
    Case("U-Net", images.u_net, IMAGES, (IMAGES[..., :1] > 0.5).astype("float32")),
    Case("ViT", images.vision_transformer, IMAGES, CLASSES),
    Case("MLP-Mixer", images.mlp_mixer, IMAGES, CLASSES),
    Case("frozen application", images.frozen_application, IMAGES, CLASSES),
    Case("augmentation", images.augmented, IMAGES, CLASSES),
    Case("noise", images.noisy, TABLE, CLASSES),
    Case("mixed precision", images.mixed_precision, TABLE, CLASSES, alone="bfloat16 in the layer"),
    Case("VAE with train_step", images.variational_autoencoder, TABLE, TABLE, random=True),
    Case("VAE without call", images.only_steps, TABLE, TABLE, refused="no `call` method", random=True),
    Case("own layer with state", own_parts.own_layer, TABLE, CLASSES, quick=True),
    Case("own model, not built", own_parts.own_model, SERIES, CLASSES),
    Case("own loss", own_parts.own_loss, TABLE, CLASSES),
    Case("own loss, quantiles", own_parts.quantiles, TABLE, NUMBER),
    Case("own metric", own_parts.own_metric, TABLE, NUMBER),
    Case("random constant", own_parts.random_constant, TABLE, CLASSES, quick=True),
    Case("graph convolution, LSTM", own_parts.graph_convolution, TRAFFIC, SERIES[:, 6:8]),
    Case("mask, class numbers", labels.mask_of_classes, IMAGES, (IMAGES.mean(-1) * 5).astype("int32") % 3),
    Case("mask, own dice loss", labels.mask_with_dice, IMAGES, (IMAGES.mean(-1, keepdims=True) > 0.4).astype("uint8")),
    Case("autoencoder, binary crossentropy", labels.denoising, SHARES, SHARES),
    Case("next token, LSTM", labels.next_token, TOKENS, np.roll(TOKENS, -1, 1)),
    Case("tagger, masked", labels.masked_tagger, PADDED, PADDED % 4),
    Case("series, a number a step", labels.number_a_step, SERIES, SERIES[:, :, 0]),
    Case("series, several steps ahead", labels.horizon, SERIES, SERIES[:, :3, 0]),
    Case("Masking", labels.masking, np.where(PADDED[..., None] > 0, SERIES, 0).astype("float32"), NUMBER),
    Case("mixture density", labels.mixture_density, TABLE, NUMBER),
    Case("several quantiles", labels.three_quantiles, TABLE, NUMBER),
    Case("counts", labels.counts, TABLE, CLASSES + 1),
    Case("hinge, -1 and 1", labels.hinge, TABLE, 2 * BINARY - 1, quick=True),
    Case("one-hot labels, F1", labels.one_hot, TABLE, np.eye(3, dtype="float32")[CLASSES]),
    Case("loss in a layer, no labels", labels.loss_in_a_layer, {"x": TABLE, "target": NUMBER[:, None]}, None, alone=_NO_LABELS),
    Case("list of outputs, loss weights", labels.list_of_outputs, TABLE, [CLASSES, NUMBER]),
    Case("class weights", tables.mlp, TABLE, CLASSES, terms=Terms(class_weight={0: 1.0, 1: 3.0, 2: 0.5})),
    Case("guide: transfer learning", guides.transfer, IMAGES, BINARY),
    Case("guide: siamese, contrastive loss", guides.siamese, [IMAGES, IMAGES[::-1].copy()], BINARY),
    Case("guide: miniature GPT", guides.miniature_gpt, TOKENS, np.roll(TOKENS, -1, 1), tolerance=1e-4),
    Case("guide: translation", guides.translation, [SERIES, SERIES[::-1].copy()], np.eye(3, dtype="float32")[TOKENS % 3]),
    Case("guide: distillation", guides.distillation, TABLE, CLASSES, axis={"units": [4, 6]}),
    Case("guide: own train_step", guides.own_step, TABLE, NUMBER),
    *(
        Case(name, optimizers.optimized(make), TABLE, CLASSES, alone=optimizers.ONE_BY_ONE.get(name, ""))
        for name, make in optimizers.OPTIMIZERS.items()
    ),
    *(
        Case(name, optimizers.optimized(make), TABLE, CLASSES, axis={"copy": [1, 2]})
        for name, make in optimizers.SCHEDULES.items()
    ),
]
