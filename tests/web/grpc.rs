//! tonic.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use spandrel::InCurrentTrace;
use tokio::net::TcpListener;
use tonic::Request;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::recipes::tonic::{Traces, export};
use crate::recorded::Trace;

#[tokio::test]
async fn client_and_server_have_the_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server::builder().add_service(TraceServiceServer::new(Traces));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let mut client =
        TraceServiceClient::connect(format!("http://{address}")).await.expect("it connects");
    for (spans, status, fails) in [
        (1, "OK", [false, false]),
        (0, "INVALID_ARGUMENT", [true, false]),
        (2, "UNAVAILABLE", [true, true]),
    ] {
        let trace = Trace::new();
        let resource_spans = vec![ResourceSpans::default(); spans];
        let request = Request::new(ExportTraceServiceRequest { resource_spans });
        let attached = trace.context().attach();
        let exported = export(&mut client, request).in_current_trace();
        drop(attached);
        assert_eq!(exported.await.is_ok(), status == "OK");
        let tree = trace.spans();
        let lines: Vec<_> = tree.lines().filter(|line| !line.contains('•')).collect();
        let name = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
        for ((line, fails), (lead, kind)) in
            lines.iter().zip(fails).zip([("", "client"), ("└─ ", "server")])
        {
            let expected = format!(
                "{lead}{name} [{kind}] rpc.system.name=\"grpc\" rpc.method=\"{name}\" rpc.response.status_code=\"{status}\""
            );
            assert!(line.starts_with(&expected), "{tree}");
            assert_eq!(
                line.contains(&format!("error.type=\"{status}\" ✗ there are")),
                fails,
                "{tree}"
            );
        }
        assert_eq!(lines.len(), 2, "{tree}");
    }
}
