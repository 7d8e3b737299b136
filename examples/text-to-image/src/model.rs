//! The network: a small U-Net that sees a noisy picture, how noisy it is and
//! the words of the prompt, and answers with the clean picture.

mod block;
mod condition;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, PaddingConfig2d};
use burn::nn::{PixelShuffle, PixelShuffleConfig, PixelUnshuffle, PixelUnshuffleConfig};
use burn::tensor::{Device, Tensor, activation::silu};

use block::Block;
use condition::Condition;

use crate::SIDE;

/// Channels at 16×16, 8×8 and 4×4.
const CHANNELS: [usize; 3] = [48, 96, 192];
/// A pixel of the network is 2×2 of the picture.
const PATCH: usize = 2;
const PATCH_CHANNELS: usize = 3 * PATCH * PATCH;
/// Blocks at 4×4, and after each way up.
const DEPTH: usize = 2;
pub(crate) const GROUPS: usize = 8;

/// The whole network.
#[derive(Module, Debug)]
pub(crate) struct UNet {
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
            condition: Condition::new(vocabulary, [last, side, side], device),
            fold: PixelUnshuffleConfig::new(PATCH).init(),
            enter: conv3([PATCH_CHANNELS, first]).init(device),
            levels: CHANNELS.windows(2).map(|pair| Level::new(pair[0], pair[1], device)).collect(),
            middle: (0..DEPTH).map(|_| Block::new(last, device)).collect(),
            norm: GroupNormConfig::new(GROUPS, first).init(device),
            leave: conv3([first, PATCH_CHANNELS]).init(device),
            unfold: PixelShuffleConfig::new(PATCH).init(),
        }
    }

    /// The clean pictures `[batch, 3, SIDE, SIDE]` behind noisy ones, at times
    /// `[batch]` from 0, no noise, to 1, nothing else, and for bags of words
    /// `[batch, vocabulary]`, where a row of zeros is no prompt.
    pub(crate) fn forward(&self, noisy: Tensor<4>, time: Tensor<1>, words: Tensor<2>) -> Tensor<4> {
        let (condition, layout) = self.condition.forward(time, words);
        let mut x = self.enter.forward(self.fold.forward(noisy));
        let mut seen = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            x = level.before.forward(x, condition.clone());
            seen.push(x.clone());
            x = level.shrink.forward(x);
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
        self.unfold.forward(patches)
    }
}

impl Level {
    fn new(here: usize, below: usize, device: &Device) -> Self {
        let grow = Conv2dConfig::new([below, 4 * here], [1, 1]);
        Self {
            before: Block::new(here, device),
            shrink: conv3([here, below]).with_stride([2, 2]).init(device),
            grow: grow.init(device),
            enlarge: PixelShuffleConfig::new(2).init(),
            after: (0..DEPTH).map(|_| Block::new(here, device)).collect(),
        }
    }
}

fn conv3(channels: [usize; 2]) -> Conv2dConfig {
    Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
}
