//! burn's devices as devices of spans, on the backend that runs everywhere.

use burn::tensor::{Device, Tensor};
use spandrel::testing::record;
use spandrel::{Value, span};

struct Pipeline {
    device: Device,
}

#[span(device(spandrel_burn::of(&self.device)))]
impl Pipeline {
    fn load(&self) -> Tensor<2> {
        Tensor::ones([8, 8], &self.device)
    }

    async fn run(&self) -> Result<f32, String> {
        #[span("step", device(spandrel_burn::of(&self.device)))]
        let stepped = self.load().matmul(self.load());
        let sum = stepped.sum().into_scalar::<f32>();
        if sum > 0.0 { Ok(sum) } else { Err(format!("{sum} is no sum")) }
    }
}

#[test]
fn a_backend_without_windows_is_waited_for() {
    let pipeline = Pipeline { device: Device::flex() };
    let recording = record(|| {
        assert_eq!(futures::executor::block_on(pipeline.run()), Ok(512.0));
    });
    let device = "spandrel.device.name=\"cpu\" spandrel.device.timing=\"synchronized\"";
    let load = format!("Pipeline::load {device}\n");
    assert_eq!(
        recording.to_string(),
        format!("Pipeline::run {device}\n└─ step {device}\n   ├─ {load}   └─ {load}")
    );
    for span in recording.spans() {
        let told = |key: &str| span.attributes.iter().find(|told| told.key.as_str() == key);
        let wait = told("spandrel.device.wait").expect("it is told");
        assert!(matches!(wait.value, Value::F64(wait) if wait >= 0.0));
        // Of a window of no device there is no time, and of no allocator no memory.
        assert!(told("spandrel.device.time").is_none());
        assert!(told("spandrel.device.memory.used").is_none());
    }
}

#[test]
fn a_device_is_one_however_it_is_given() {
    let device = Device::flex();
    assert_eq!(spandrel_burn::of(&device), spandrel_burn::Device::from(device));
}
