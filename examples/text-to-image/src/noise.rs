//! Random numbers from the host, so that a seed gives the same picture on
//! every device.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};

use crate::SIDE;

/// The noise that a picture starts from, the same for the same seed.
pub(crate) fn gaussian(seed: u64, device: &Device) -> Tensor<4> {
    gaussian_from(&mut Xoshiro256PlusPlus::seed_from_u64(seed), [1, 3, SIDE, SIDE], device)
}

/// The next noise of a generator.
pub(crate) fn gaussian_from(
    random: &mut Xoshiro256PlusPlus,
    shape: [usize; 4],
    device: &Device,
) -> Tensor<4> {
    let count = shape.iter().product();
    let values: Vec<f32> = StandardNormal.sample_iter(random).take(count).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
