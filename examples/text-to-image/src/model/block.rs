use burn::module::{Initializer, Module};
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::silu};

use super::{GROUPS, condition::WIDTH, conv3};

/// A residual block, scaled and shifted by the condition.
#[derive(Module, Debug)]
pub(super) struct Block {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    adapt: Linear,
    conv2: Conv2d,
}

impl Block {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        let norm = GroupNormConfig::new(GROUPS, channels);
        // Nothing at first, so that a deep network starts as a shallow one.
        let nothing = conv3([channels, channels]).with_initializer(Initializer::Zeros);
        Self {
            norm1: norm.init(device),
            conv1: conv3([channels, channels]).init(device),
            norm2: norm.init(device),
            adapt: LinearConfig::new(WIDTH, 2 * channels).init(device),
            conv2: nothing.init(device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>, condition: Tensor<2>) -> Tensor<4> {
        let adapt = self.adapt.forward(condition).unsqueeze_dims::<4>(&[-1, -1]);
        let [scale, shift]: [Tensor<4>; 2] = halves(adapt);
        let h = self.conv1.forward(silu(self.norm1.forward(x.clone())));
        let h = self.norm2.forward(h) * scale.add_scalar(1.0) + shift;
        x + self.conv2.forward(silu(h))
    }
}

fn halves(tensor: Tensor<4>) -> [Tensor<4>; 2] {
    let half = tensor.dims()[1] / 2;
    [tensor.clone().narrow(1, 0, half), tensor.narrow(1, half, half)]
}
