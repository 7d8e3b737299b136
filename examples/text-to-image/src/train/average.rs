use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::model::UNet;

const DECAY: f64 = 0.999;

/// Moves the average towards the model, at first quickly.
pub(super) fn update(average: &mut UNet, model: &UNet, step: usize) {
    let keep = DECAY.min((step + 1) as f64 / (step + 10) as f64);
    let mut fresh = Collect(GradientsParams::new());
    model.valid().visit(&mut fresh);
    *average = average.clone().map(&mut Blend { fresh: fresh.0, keep });
}

/// Tensors by parameter: what burn keeps for gradients fits any tensor.
struct Collect(GradientsParams);

struct Blend {
    fresh: GradientsParams,
    keep: f64,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(fresh) = self.fresh.remove::<D>(param.id) else { return param };
        let keep = self.keep;
        param.map(|old| old.mul_scalar(keep) + fresh.mul_scalar(1.0 - keep))
    }
}
