"""An API server of Kubernetes on loopback: one Deployment, one StatefulSet, and the autoscalers that a test sets."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_OBJECT = re.compile(r"/apis/apps/v1/namespaces/ai/(deployments|statefulsets)/llm(/scale)?")
_KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet"}


class FakeCluster:
    """The server; `replicas` is what the objects are scaled to, and `settled` whether the pods follow at once."""

    def __init__(self, replicas=3):
        self.replicas, self.ready, self.version = replicas, replicas, 1
        self.scalers, self.fault, self.settled = [], 0, True
        self.patches = []
        self.before_patch = lambda: None
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                cluster.answer(self)

            def do_PATCH(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                cluster.before_patch()
                cluster.patch(self, body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def person_scales(self, replicas):
        self.replicas, self.version = replicas, self.version + 1
        self.ready = replicas if self.settled else self.ready

    def kubeconfig(self, folder):
        path = folder / "kubeconfig"
        named = {"name": "lab"}
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab", "users": [{**named, "user": {}}],
            "clusters": [{**named, "cluster": {"server": self.url}}],
            "contexts": [{**named, "context": {"cluster": "lab", "user": "lab"}}],
        }))  # fmt: skip
        return str(path)

    def answer(self, request):
        match = _OBJECT.fullmatch(request.path)
        if self.fault:
            _send(request, self.fault, {"kind": "Status", "reason": "Refused"})
        elif request.path == "/apis/autoscaling/v2/namespaces/ai/horizontalpodautoscalers":
            items = [
                {
                    "metadata": {"name": name},
                    "spec": {"maxReplicas": 9, "scaleTargetRef": {"kind": kind, "name": "llm"}},
                }
                for name, kind in self.scalers
            ]
            _send(request, 200, {"kind": "HorizontalPodAutoscalerList", "items": items})
        elif match is None:
            _send(request, 404, {"kind": "Status", "reason": "NotFound"})
        else:
            labels, containers = {"app": "llm"}, [{"name": "llm"}]
            spec = {"replicas": self.replicas, "selector": {"matchLabels": labels}, "serviceName": "llm",
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}  # fmt: skip
            metadata = {
                "name": "llm",
                "namespace": "ai",
                "uid": f"uid-{match[1]}",
                "resourceVersion": str(self.version),
            }
            status = {"replicas": self.ready, "readyReplicas": self.ready}
            document = {"apiVersion": "apps/v1", "kind": _KINDS[match[1]], "metadata": metadata, "spec": spec}
            _send(request, 200, document | {"status": status})

    def patch(self, request, body):
        self.patches.append(body)
        if body["metadata"]["resourceVersion"] != str(self.version):
            _send(request, 409, {"kind": "Status", "reason": "Conflict"})
            return
        self.person_scales(body["spec"]["replicas"])
        _send(request, 200, {"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": body["spec"]})


def _send(request, status, document):
    body = json.dumps(document).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
