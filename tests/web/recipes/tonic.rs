use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceService;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use spandrel::{propagate, span};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, async_trait};

const EXPORT: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub(crate) struct Traces;

#[async_trait]
impl TraceService for Traces {
    /// The server's span continues the trace of the request's metadata, and has the status of the response.
    #[propagate(request)]
    #[span(EXPORT, kind(server), rpc.system.name = "grpc", rpc.method = EXPORT)]
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        match request.get_ref().resource_spans.len() {
            0 => Err(Status::invalid_argument("there are no spans")),
            1 => Ok(Response::new(ExportTraceServiceResponse::default())),
            _ => Err(Status::unavailable("there are too many spans")),
        }
    }
}

/// The client's span.
#[propagate(inject(request))]
#[span(EXPORT, kind(client), rpc.system.name = "grpc", rpc.method = EXPORT)]
pub(crate) async fn export(
    client: &mut TraceServiceClient<Channel>,
    mut request: Request<ExportTraceServiceRequest>,
) -> Result<Response<ExportTraceServiceResponse>, Status> {
    client.export(request).await
}
