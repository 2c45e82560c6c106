<?php
ini_set('error_log', 'php://stdout');
error_log('PHP Fatal errors are mailed; Stack trace: off');
error_log('Uncaught exceptions: 0 in 12 requests');
trigger_error('cache is cold', E_USER_WARNING);
trigger_error('old call', E_USER_DEPRECATED);
echo $missing;
echo json_encode(['error' => 'Exception', 'trace' => "#0 a.php(3): f()\n#1 {main}"]), "\n";
