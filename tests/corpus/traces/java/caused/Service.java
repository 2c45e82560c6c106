import java.io.IOException;

public class Service {
    static class StartException extends RuntimeException {
        StartException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static void read(String name) throws IOException {
        throw new IOException(name + ": no such file");
    }

    static void configure() {
        try {
            read("service.properties");
        } catch (IOException e) {
            throw new IllegalStateException("cannot read the settings:\n  looked in /srv/app\n  looked in /etc", e);
        }
    }

    public static void main(String[] args) {
        try {
            configure();
        } catch (IllegalStateException e) {
            throw new StartException("service does not start", e);
        }
    }
}
