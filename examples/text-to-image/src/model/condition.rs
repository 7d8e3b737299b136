use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, activation::silu};

/// How wide a condition is.
pub(super) const WIDTH: usize = 256;
/// How wide a word is.
const WORD: usize = 128;
/// How many frequencies tell the time.
const FREQUENCIES: usize = 32;

/// Time and words, mixed into one vector that all blocks see, and into a
/// first layout of the picture at the lowest resolution.
#[derive(Module, Debug)]
pub(super) struct Condition {
    words: Linear,
    text: Linear,
    time: Linear,
    mix: Linear,
    layout: Linear,
    #[module(skip)]
    shape: [usize; 3],
}

impl Condition {
    pub(super) fn new(vocabulary: usize, shape: [usize; 3], device: &Device) -> Self {
        let words = LinearConfig::new(vocabulary, WORD).with_bias(false);
        let words = words.with_initializer(Initializer::Normal { mean: 0.0, std: 1.0 });
        Self {
            words: words.init(device),
            text: LinearConfig::new(WORD, WIDTH).init(device),
            time: LinearConfig::new(2 * FREQUENCIES, WIDTH).init(device),
            mix: LinearConfig::new(WIDTH, WIDTH).init(device),
            layout: LinearConfig::new(WIDTH, shape.iter().product()).init(device),
            shape,
        }
    }

    /// The condition `[batch, WIDTH]` and the layout `[batch, channels, side, side]`.
    pub(super) fn forward(&self, time: Tensor<1>, words: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        let text = self.text.forward(self.words.forward(words));
        let time = self.time.forward(waves(time));
        let condition = silu(self.mix.forward(silu(text + time)));
        let [batch, _] = condition.dims();
        let [channels, height, width] = self.shape;
        let layout = self.layout.forward(condition.clone());
        (condition, layout.reshape([batch, channels, height, width]))
    }
}

/// Sines and cosines of each time, `[batch, 2 * FREQUENCIES]`.
fn waves(times: Tensor<1>) -> Tensor<2> {
    let frequencies = (0..FREQUENCIES).map(|i| 1000_f32.powf(i as f32 / FREQUENCIES as f32));
    let data = TensorData::new(frequencies.collect::<Vec<f32>>(), [1, FREQUENCIES]);
    let frequencies = Tensor::from_data(data, &times.device());
    let angles = times.unsqueeze_dim::<2>(1) * frequencies;
    Tensor::cat(vec![angles.clone().sin(), angles.cos()], 1)
}
