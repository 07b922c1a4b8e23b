// Search over file://, where a page may start no worker: a frame does its work.
if (location.protocol === "file:") window.Worker = class extends EventTarget {
  constructor(url) {
    super()
    const frame = Object.assign(document.createElement("iframe"), { hidden: true })
    document.body.append(frame)
    this.at = frame.contentWindow
    addEventListener("message", ({ source, data }) =>
      source === this.at && this.dispatchEvent(new MessageEvent("message", { data })))
    this.at.document.write(
      `<script>postMessage = data => parent.postMessage(data, "*")</scr` + `ipt><script src="${url}"></scr` + `ipt>`)
    this.at.document.close()
    this.ready = new Promise(done => { this.at.onload = done })
  }
  postMessage(data) { this.ready.then(() => this.at.dispatchEvent(new MessageEvent("message", { data }))) }
  terminate() {}
}
