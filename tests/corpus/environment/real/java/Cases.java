// Meets one fault of what is around it, without catching it: java Cases.java CASE
import java.io.*; import java.net.*; import java.net.http.*; import java.nio.file.*; import java.time.Duration;
public class Cases {
    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "refused": new Socket("127.0.0.1", 9); break;
            case "unresolved": new URL("http://payments.invalid:8080/charge").openStream(); break;
            case "timeout": {
                ServerSocket s = new ServerSocket(18767); URLConnection c = new URL("http://localhost:18767/").openConnection();
                c.setReadTimeout(300); c.getInputStream(); break; }
            case "client": HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:9/charge")).build(), HttpResponse.BodyHandlers.ofString()); break;
            case "full": { FileOutputStream o = new FileOutputStream("/dev/full"); o.write(1); break; }
            case "denied": Files.readString(Path.of("/etc/shadow")); break;
            case "denied_io": new FileInputStream("/etc/shadow"); break;
            case "in_use": new ServerSocket(18768); new ServerSocket(18768); break;
            case "certificate": new URL("https://localhost:18443/").openStream(); break;
            case "wrapped": try { new Socket("127.0.0.1", 9); } catch (IOException e) { throw new IllegalStateException("cannot charge the card", e); } break;
            case "own": throw new IllegalStateException("connection refused by user");
        }
    }
}
