//! Flow matching: pictures and noise are joined by straight lines, time runs
//! from 0, the picture, to 1, the noise. See <https://arxiv.org/abs/2210.02747>.
//! The network predicts the picture, from which the direction follows, as in
//! <https://arxiv.org/abs/2511.13720>.

use burn::tensor::{Device, Tensor, TensorData};

use crate::model::UNet;

/// Direction errors are weighed as if no time were nearer to the picture.
const SMALLEST_TIME: f32 = 0.05;

/// The mean squared error of the predicted direction.
pub(crate) fn loss(
    model: &UNet,
    clean: Tensor<4>,
    noise: Tensor<4>,
    times: &[f32],
    words: Tensor<2>,
) -> Tensor<1> {
    let device = clean.device();
    let time = vector(times, &device);
    let share = time.clone().unsqueeze_dims::<4>(&[-1, -1, -1]);
    let mixed = clean.clone() * (1.0 - share.clone()) + noise * share.clone();
    let error = model.forward(mixed, time, words) - clean;
    (error / share.clamp_min(SMALLEST_TIME)).square().mean()
}

/// Moves pictures from one time to an earlier one, with the prompt's pull
/// multiplied by `guidance`. See <https://arxiv.org/abs/2207.12598>.
pub(crate) fn step(
    model: &UNet,
    noisy: Tensor<4>,
    [from, to]: [f32; 2],
    words: Tensor<2>,
    guidance: f32,
) -> Tensor<4> {
    let device = noisy.device();
    let batch = noisy.dims()[0];
    let both = Tensor::cat(vec![noisy.clone(), noisy.clone()], 0);
    let prompts = Tensor::cat(vec![words.clone(), words.zeros_like()], 0);
    let clean = model.forward(both, vector(&vec![from; 2 * batch], &device), prompts);
    let prompted = clean.clone().narrow(0, 0, batch);
    let free = clean.narrow(0, batch, batch);
    let clean = (free.clone() + (prompted - free).mul_scalar(guidance)).clamp(-1.0, 1.0);
    let kept = to / from;
    noisy.mul_scalar(kept) + clean.mul_scalar(1.0 - kept)
}

/// Bags of words as rows, of equal length whatever their number of words.
pub(crate) fn bags(bags: &[&[usize]], vocabulary: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0; bags.len() * vocabulary];
    for (row, bag) in values.chunks_mut(vocabulary).zip(bags) {
        for &word in *bag {
            row[word] = 1.0 / (bag.len() as f32).sqrt();
        }
    }
    Tensor::from_data(TensorData::new(values, [bags.len(), vocabulary]), device)
}

fn vector(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}
