use burn::module::{Initializer, Module, Param};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};

use crate::text::MAX_WORDS;

/// How wide a word is, and what a text means.
pub(crate) const WIDTH: usize = 256;

/// Nothing, after the last word.
const PADDING: i32 = 0;
/// Before the first word: an empty prompt has at least this.
const BEGIN: i32 = 1;
const FIRST_WORD: i32 = 2;
/// All texts are as long as the longest, so that all batches have one shape.
const LENGTH: usize = MAX_WORDS + 1;

/// How much faster words learn than all else: each is seen in few batches.
const PACE: f64 = 8.0;

/// A small transformer: what the words of a prompt mean together.
#[derive(Module, Debug)]
pub(super) struct Encoder {
    words: Embedding,
    places: Embedding,
    layers: TransformerEncoder,
    norm: LayerNorm,
}

impl Encoder {
    pub(super) fn new(vocabulary: usize, device: &Device) -> Self {
        let embedding = |count| {
            let normal = Initializer::Normal { mean: 0.0, std: 0.1 / PACE };
            EmbeddingConfig::new(count, WIDTH).with_initializer(normal).init(device)
        };
        let layers = TransformerEncoderConfig::new(WIDTH, 2 * WIDTH, 4, 2);
        Self {
            words: embedding(FIRST_WORD as usize + vocabulary),
            places: embedding(LENGTH),
            layers: layers.with_dropout(0.0).with_norm_first(true).init(device),
            norm: LayerNormConfig::new(WIDTH).init(device),
        }
    }

    /// Gives words something to begin with, by their places in the vocabulary.
    pub(super) fn teach(&mut self, meanings: Vec<Vec<f32>>) {
        let (weight, count) = (self.words.weight.val(), meanings.len());
        let meanings = TensorData::new(meanings.concat(), [count, WIDTH]);
        let meanings = Tensor::<2>::from_data(meanings, &weight.device()).div_scalar(PACE);
        let place = FIRST_WORD as usize..FIRST_WORD as usize + count;
        let words = weight.clone().slice([place.clone()]) + meanings;
        self.words.weight = Param::from_tensor(weight.slice_assign([place], words).detach());
    }

    /// The mean over all words, `[batch, WIDTH]`.
    pub(super) fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<2> {
        let padding = tokens.clone().equal_elem(PADDING);
        let places = Tensor::arange(0..LENGTH as i64, &tokens.device()).unsqueeze_dim::<2>(0);
        let words = self.words.forward(tokens) + self.places.forward(places);
        let input = TransformerEncoderInput::new(words.mul_scalar(PACE)).mask_pad(padding.clone());
        let seen = self.layers.forward(input);
        let precision = FloatDType::from(seen.dtype());
        let counts = padding.bool_not().cast(FloatDType::F32);
        let shares = counts.clone() / counts.sum_dim(1);
        let mean = (seen * shares.cast(precision).unsqueeze_dim::<3>(2)).sum_dim(1);
        self.norm.forward(mean.squeeze_dim(1))
    }
}

/// Prompts, by their words' places in the vocabulary, as rows of equal length.
pub(crate) fn tokens(prompts: &[&[usize]], device: &Device) -> Tensor<2, Int> {
    let mut values = Vec::with_capacity(prompts.len() * LENGTH);
    for words in prompts {
        values.push(BEGIN);
        values.extend(words.iter().map(|&word| FIRST_WORD + word as i32));
        values.resize(values.len().next_multiple_of(LENGTH), PADDING);
    }
    Tensor::from_data(TensorData::new(values, [prompts.len(), LENGTH]), device)
}
