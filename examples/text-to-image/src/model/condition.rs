use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor, TensorData, activation::silu};

use super::encoder;

/// How wide a condition is.
pub(super) const WIDTH: usize = 384;
/// How many frequencies tell the time.
const FREQUENCIES: usize = 32;

/// Time and text, mixed into one vector that all blocks see, and into a
/// first layout of the picture at the lowest resolution.
#[derive(Module, Debug)]
pub(super) struct Condition {
    text: Linear,
    time: Linear,
    mix: Linear,
    layout: Linear,
    #[module(skip)]
    shape: [usize; 3],
}

impl Condition {
    pub(super) fn new(shape: [usize; 3], device: &Device) -> Self {
        Self {
            text: LinearConfig::new(encoder::WIDTH, WIDTH).init(device),
            time: LinearConfig::new(2 * FREQUENCIES, WIDTH).init(device),
            mix: LinearConfig::new(WIDTH, WIDTH).init(device),
            layout: LinearConfig::new(WIDTH, shape.iter().product()).init(device),
            shape,
        }
    }

    /// The condition `[batch, WIDTH]` and the layout `[batch, channels, side, side]`.
    pub(super) fn forward(&self, time: Tensor<1>, text: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        let time = self.time.forward(waves(time).cast(FloatDType::from(text.dtype())));
        let text = self.text.forward(text);
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
