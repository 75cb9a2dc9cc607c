module bridge.test/app

go 1.26
