//! Flow matching: pictures and noise are joined by straight lines, time runs
//! from 0, the picture, to 1, the noise. See <https://arxiv.org/abs/2210.02747>.
//! The network predicts the picture, from which the direction follows, as in
//! <https://arxiv.org/abs/2511.13720>.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::model::UNet;

/// Direction errors are weighed as if no time were nearer to the picture, or what little noise is
/// left there would count for more than what the prompt says.
const SMALLEST_TIME: f32 = 0.3;

/// The mean squared error of the predicted direction.
pub(crate) fn loss(
    model: &UNet,
    clean: Tensor<4>,
    noise: Tensor<4>,
    times: &[f32],
    tokens: Tensor<2, Int>,
) -> Tensor<1> {
    let device = clean.device();
    let time = vector(times, &device);
    let share = time.clone().unsqueeze_dims::<4>(&[-1, -1, -1]);
    let mixed = clean.clone() * (1.0 - share.clone()) + noise * share.clone();
    let error = model.forward(mixed, time, model.read(tokens)) - clean;
    (error / share.clamp_min(SMALLEST_TIME)).square().mean()
}

/// Moves pictures from one time to an earlier one, with the prompt's pull
/// multiplied by `guidance`, `[batch, 1, 1, 1]`. See <https://arxiv.org/abs/2207.12598>.
///
/// `text` is what the prompts mean, and then as many rows of what none means.
pub(crate) fn step(
    model: &UNet,
    noisy: Tensor<4>,
    [from, to]: [f32; 2],
    text: Tensor<2>,
    guidance: Tensor<4>,
) -> Tensor<4> {
    let device = noisy.device();
    let batch = noisy.dims()[0];
    let both = Tensor::cat(vec![noisy.clone(), noisy.clone()], 0);
    let clean = model.forward(both, vector(&vec![from; 2 * batch], &device), text);
    let prompted = clean.clone().narrow(0, 0, batch);
    let free = clean.narrow(0, batch, batch);
    let clean = (free.clone() + (prompted - free) * guidance).clamp(-1.0, 1.0);
    let kept = to / from;
    noisy.mul_scalar(kept) + clean.mul_scalar(1.0 - kept)
}

fn vector(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}
