//! The network: a small U-Net that sees a noisy picture, how noisy it is and
//! what the prompt says, and answers with the clean picture.

mod block;
mod condition;
mod encoder;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, PaddingConfig2d};
use burn::nn::{PixelShuffle, PixelShuffleConfig, PixelUnshuffle, PixelUnshuffleConfig};
use burn::tensor::{Device, FloatDType, Int, Tensor, activation::silu};

use block::Block;
use condition::Condition;
use encoder::Encoder;

use crate::SIDE;

/// Channels at 16×16, 8×8 and 4×4.
const CHANNELS: [usize; 3] = [48, 96, 256];
/// A pixel of the network is 4×4 of the picture.
const PATCH: usize = 4;
const PATCH_CHANNELS: usize = 3 * PATCH * PATCH;
/// Blocks at 4×4, and after each way up.
const DEPTH: usize = 2;
pub(crate) const GROUPS: usize = 8;

pub(crate) use encoder::{WIDTH as WIDTH_OF_WORDS, tokens};

/// The whole network.
#[derive(Module, Debug)]
pub(crate) struct UNet {
    encoder: Encoder,
    condition: Condition,
    fold: PixelUnshuffle,
    enter: Conv2d,
    levels: Vec<Level>,
    middle: Vec<Block>,
    norm: GroupNorm,
    leave: Conv2d,
    unfold: PixelShuffle,
}

/// One resolution, on the way down and on the way up.
#[derive(Module, Debug)]
struct Level {
    before: Block,
    gather: PixelUnshuffle,
    shrink: Conv2d,
    grow: Conv2d,
    enlarge: PixelShuffle,
    after: Vec<Block>,
}

impl UNet {
    pub(crate) fn new(vocabulary: usize, device: &Device) -> Self {
        let [first, .., last] = CHANNELS;
        let side = (SIDE / PATCH) >> (CHANNELS.len() - 1);
        Self {
            encoder: Encoder::new(vocabulary, device),
            condition: Condition::new([last, side, side], device),
            fold: PixelUnshuffleConfig::new(PATCH).init(),
            enter: conv3([PATCH_CHANNELS, first]).init(device),
            levels: CHANNELS.windows(2).map(|pair| Level::new(pair[0], pair[1], device)).collect(),
            middle: (0..DEPTH).map(|_| Block::new(last, device)).collect(),
            norm: GroupNormConfig::new(GROUPS, first).init(device),
            leave: conv3([first, PATCH_CHANNELS]).init(device),
            unfold: PixelShuffleConfig::new(PATCH).init(),
        }
    }

    /// Gives words something to begin with, by their places in the vocabulary.
    pub(crate) fn teach(&mut self, meanings: Vec<Vec<f32>>) {
        self.encoder.teach(meanings);
    }

    /// What prompts mean, a row for each row of [`tokens`].
    pub(crate) fn read(&self, tokens: Tensor<2, Int>) -> Tensor<2> {
        self.encoder.forward(tokens)
    }

    /// The clean pictures `[batch, 3, SIDE, SIDE]` behind noisy ones, at times
    /// `[batch]` from 0, no noise, to 1, nothing else, for prompts that were
    /// [read](Self::read).
    pub(crate) fn forward(&self, noisy: Tensor<4>, time: Tensor<1>, text: Tensor<2>) -> Tensor<4> {
        let (condition, layout) = self.condition.forward(time, text);
        let noisy = noisy.cast(self.precision());
        let mut x = self.enter.forward(self.fold.forward(noisy));
        let mut seen = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            x = level.before.forward(x, condition.clone());
            seen.push(x.clone());
            x = level.shrink.forward(level.gather.forward(x));
        }
        x = x + layout;
        for block in &self.middle {
            x = block.forward(x, condition.clone());
        }
        for (level, seen) in self.levels.iter().zip(seen).rev() {
            x = level.enlarge.forward(level.grow.forward(x)) + seen;
            for block in &level.after {
                x = block.forward(x, condition.clone());
            }
        }
        let patches = self.leave.forward(silu(self.norm.forward(x)));
        self.unfold.forward(patches).cast(FloatDType::F32)
    }

    /// The type of the weights.
    fn precision(&self) -> FloatDType {
        self.enter.weight.val().dtype().into()
    }
}

impl Level {
    fn new(here: usize, below: usize, device: &Device) -> Self {
        let grow = Conv2dConfig::new([below, 4 * here], [1, 1]);
        Self {
            before: Block::new(here, device),
            gather: PixelUnshuffleConfig::new(2).init(),
            shrink: Conv2dConfig::new([4 * here, below], [1, 1]).init(device),
            grow: grow.init(device),
            enlarge: PixelShuffleConfig::new(2).init(),
            after: (0..DEPTH).map(|_| Block::new(here, device)).collect(),
        }
    }
}

fn conv3(channels: [usize; 2]) -> Conv2dConfig {
    Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
}
