"""The part of a script that gives a backbone random weights as `weight_loading.draw_random_weights` does."""

DRAW = '''
def draw_random_weights(backbone, preprocessing):
    """Untrained weights through which a signal still passes.

    Kernels are drawn as He et al. (2015) propose. BatchNormalization has to see one batch, here of noise
    as smooth as a photograph: with Keras's own initial values a deep frozen backbone would answer almost
    zero to every image.
    """
    random = np.random.default_rng(SEED)
    for layer in backbone.layers:
        for weight in layer.weights:
            if weight.path.endswith("kernel"):
                is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                is_depthwise = is_depthwise or weight.path.endswith("depthwise_kernel")
                fan_in = math.prod(weight.shape[:2] if is_depthwise else weight.shape[:-1])
                noise = random.standard_normal(weight.shape, dtype=np.float32)
                weight.assign(noise * np.float32(np.sqrt(2 / fan_in)))
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(random.standard_normal((8, 3, SIZE, SIZE))) / frequency
    noise = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    noise = np.clip(noise * 64 / noise.std(axis=(1, 2, 3), keepdims=True) + 127, 0, 255)
    batch = noise.transpose(0, 2, 3, 1).astype(np.float32)
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.trainable, layer.momentum = True, 0.0
    backbone(preprocessing(batch) if preprocessing else batch, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.trainable, layer.momentum = False, momentum
'''
